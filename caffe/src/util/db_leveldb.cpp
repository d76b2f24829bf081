#include "caffe/util/db_leveldb.hpp"

#include <leveldb/db.h>
#include <leveldb/write_batch.h>

#include <filesystem>
#include <mutex>

namespace caffe::db {
namespace {

namespace fs = std::filesystem;

void Require(const leveldb::Status& status, const string& source, const char* what) {
  CAFFE_REQUIRE(status.ok()) << "LevelDB " << source << ": " << what << ": " << status.ToString();
}

// Open databases of this process by their path: LevelDB lets none be opened twice.
class OpenDatabases {
 public:
  static OpenDatabases& Get() {
    static OpenDatabases databases;
    return databases;
  }

  shared_ptr<leveldb::DB> Open(const string& source, bool is_new) {
    const std::lock_guard<std::mutex> lock(mutex_);
    std::weak_ptr<leveldb::DB>& open = open_[fs::weakly_canonical(source)];
    if (auto database = open.lock()) return database;
    leveldb::Options options;
    options.create_if_missing = is_new;
    options.error_if_exists = is_new;
    options.paranoid_checks = true;
    // Records are large, and come and go in order.
    options.block_size = 64 << 10;
    options.write_buffer_size = 64 << 20;
    options.max_open_files = 100;
    leveldb::DB* opened = nullptr;
    Require(leveldb::DB::Open(options, source, &opened), source, "cannot open");
    shared_ptr<leveldb::DB> database(opened);
    open = database;
    return database;
  }

 private:
  std::mutex mutex_;
  map<fs::path, std::weak_ptr<leveldb::DB>> open_;
};

void RequireDatabase(const string& source) {
  CAFFE_REQUIRE(fs::exists(source)) << "Database not found: " << source;
  CAFFE_REQUIRE(fs::is_directory(source)) << source << " is a file; a LevelDB database is a directory";
  if (fs::exists(source + "/CURRENT")) return;
  CAFFE_REQUIRE(!fs::exists(source + "/data.mdb"))
      << source << " is no LevelDB database but looks like an LMDB one: its back end would be LMDB (backend: LMDB in "
      << "data_param)";
  throw Error(source + " is no LevelDB database: it has no CURRENT");
}

}  // namespace

void LevelDB::Open(const string& source, Mode mode) {
  Close();
  if (mode == NEW) {
    RequireFree(source);
  } else {
    RequireDatabase(source);
  }
  handle_ = {source, OpenDatabases::Get().Open(source, mode == NEW)};
  writable_ = mode != READ;
}

LevelDBCursor* LevelDB::NewCursor() {
  CHECK(handle_.db) << "the database is not open";
  return new LevelDBCursor(handle_);
}

LevelDBTransaction* LevelDB::NewTransaction() {
  CHECK(handle_.db) << "the database is not open";
  CAFFE_REQUIRE(writable_) << "LevelDB " << handle_.source << ": opened for reading only";
  return new LevelDBTransaction(handle_);
}

LevelDBCursor::LevelDBCursor(const LevelDBHandle& handle) : handle_(handle) {
  leveldb::ReadOptions options;
  options.verify_checksums = true;
  options.fill_cache = false;
  iterator_.reset(handle_.db->NewIterator(options));
  SeekToFirst();
}

LevelDBCursor::~LevelDBCursor() = default;

void LevelDBCursor::SeekToFirst() {
  iterator_->SeekToFirst();
  CheckStatus();
}

void LevelDBCursor::Next() {
  iterator_->Next();
  CheckStatus();
}

void LevelDBCursor::CheckStatus() const { Require(iterator_->status(), handle_.source, "cannot read"); }

string LevelDBCursor::key() { return iterator_->key().ToString(); }
string LevelDBCursor::value() { return iterator_->value().ToString(); }
bool LevelDBCursor::valid() { return iterator_->Valid(); }

LevelDBTransaction::LevelDBTransaction(const LevelDBHandle& handle)
    : handle_(handle), batch_(std::make_unique<leveldb::WriteBatch>()) {}

LevelDBTransaction::~LevelDBTransaction() = default;

void LevelDBTransaction::Put(const string& key, const string& value) { batch_->Put(key, value); }

void LevelDBTransaction::Commit() {
  Require(handle_.db->Write(leveldb::WriteOptions(), batch_.get()), handle_.source, "cannot write");
  batch_->Clear();
}

}  // namespace caffe::db
