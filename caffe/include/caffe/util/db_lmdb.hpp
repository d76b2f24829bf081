// LMDB databases: a directory with data.mdb in it.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/util/db.hpp"

namespace caffe::db {

class LmdbEnvironment;
class LmdbTree;

// Sees the database as it was when the cursor was made, and keeps it open. Throws Error for a damaged file.
class LMDBCursor : public Cursor {
 public:
  explicit LMDBCursor(shared_ptr<LmdbEnvironment> environment);
  ~LMDBCursor() override;
  void SeekToFirst() override;
  void Next() override;
  string key() override;
  string value() override;
  bool valid() override;

 private:
  class Snapshot;

  std::unique_ptr<Snapshot> snapshot_;
  std::unique_ptr<LmdbTree> tree_;
};

// Holds the records until Commit, which writes all of them or, when it throws, none. May be used again after it.
class LMDBTransaction : public Transaction {
 public:
  explicit LMDBTransaction(shared_ptr<LmdbEnvironment> environment);
  void Put(const string& key, const string& value) override { records_.emplace_back(key, value); }
  void Commit() override;

 private:
  shared_ptr<LmdbEnvironment> environment_;
  vector<pair<string, string>> records_;
};

// The same database may be open any number of times in a process for reading, or once for writing with any number of
// readers opened after the writer. Reading works where nothing can be written.
class LMDB : public DB {
 public:
  void Open(const string& source, Mode mode) override;
  void Close() override { environment_.reset(); }
  LMDBCursor* NewCursor() override;
  LMDBTransaction* NewTransaction() override;

 private:
  shared_ptr<LmdbEnvironment> environment_;
};

}  // namespace caffe::db
