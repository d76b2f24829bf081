#include "caffe/util/db.hpp"

#include "caffe/util/db_leveldb.hpp"
#include "caffe/util/db_lmdb.hpp"

namespace caffe::db {

DB* GetDB(DataParameter::DB backend) {
  if (backend == DataParameter::LMDB) return new LMDB();
  return new LevelDB();
}

DB* GetDB(const string& backend) {
  if (backend == "lmdb") return new LMDB();
  if (backend == "leveldb") return new LevelDB();
  throw Error("Unknown database back end '" + backend + "'; there are lmdb and leveldb");
}

}  // namespace caffe::db
