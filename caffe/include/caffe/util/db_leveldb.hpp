// LevelDB databases: a directory with CURRENT, a manifest and tables in it.
#pragma once

#include <memory>
#include <string>

#include "caffe/common.hpp"
#include "caffe/util/db.hpp"

namespace leveldb {
class DB;
class Iterator;
class WriteBatch;
}  // namespace leveldb

namespace caffe::db {

// An open database and its path, for messages.
struct LevelDBHandle {
  string source;
  shared_ptr<leveldb::DB> db;
};

// Sees the database as it was when the cursor was made, and keeps it open.
class LevelDBCursor : public Cursor {
 public:
  explicit LevelDBCursor(const LevelDBHandle& handle);
  ~LevelDBCursor() override;
  void SeekToFirst() override;
  void Next() override;
  string key() override;
  string value() override;
  bool valid() override;

 private:
  // The iterator ends at damage as it does at the last record.
  void CheckStatus() const;

  LevelDBHandle handle_;
  std::unique_ptr<leveldb::Iterator> iterator_;
};

// Holds the records until Commit, which writes all of them or, when it throws, none. May be used again after it.
class LevelDBTransaction : public Transaction {
 public:
  explicit LevelDBTransaction(const LevelDBHandle& handle);
  ~LevelDBTransaction() override;
  void Put(const string& key, const string& value) override;
  void Commit() override;

 private:
  LevelDBHandle handle_;
  std::unique_ptr<leveldb::WriteBatch> batch_;
};

// The same database may be open any number of times in one process; LevelDB itself keeps other processes out, readers
// too, and for that needs a directory it can write in.
class LevelDB : public DB {
 public:
  void Open(const string& source, Mode mode) override;
  void Close() override { handle_.db.reset(); }
  LevelDBCursor* NewCursor() override;
  LevelDBTransaction* NewTransaction() override;

 private:
  LevelDBHandle handle_;
  bool writable_ = false;
};

}  // namespace caffe::db
