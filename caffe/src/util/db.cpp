#include "caffe/util/db.hpp"

#include "caffe/util/db_lmdb.hpp"

namespace caffe::db {

DB* GetDB(DataParameter::DB backend) {
  CAFFE_REQUIRE(backend == DataParameter::LMDB)
      << "this build has no " << DataParameter::DB_Name(backend) << " databases; the back end it has is LMDB";
  return new LMDB();
}

DB* GetDB(const string& backend) {
  CAFFE_REQUIRE(backend == "lmdb") << "Unknown database back end '" << backend << "': lmdb is known";
  return new LMDB();
}

}  // namespace caffe::db
