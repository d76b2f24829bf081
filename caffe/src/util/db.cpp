#include "caffe/util/db.hpp"

#include <cstdio>
#include <filesystem>

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

void RequireFree(const string& source) {
  namespace fs = std::filesystem;
  CAFFE_REQUIRE(!fs::exists(source) || (fs::is_directory(source) && fs::is_empty(source)))
      << "cannot make the database " << source << ": it exists already";
}

string PrintableKey(const string& key) {
  constexpr size_t kLongest = 200;
  string text;
  for (const unsigned char c : key.substr(0, kLongest)) {
    // The bytes of UTF-8 letters stay.
    if (c >= 0x20 && c != 0x7f) {
      text += static_cast<char>(c);
    } else {
      char escaped[5];
      std::snprintf(escaped, sizeof(escaped), "\\x%02x", c);
      text += escaped;
    }
  }
  return key.size() > kLongest ? text + "..." : text;
}

}  // namespace caffe::db
