// Key-value databases of records (Datum messages) behind one interface: LMDB and LevelDB.
#pragma once

#include <string>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe::db {

enum Mode { READ, WRITE, NEW };

// Iterates over records in the order of their keys.
class Cursor {
 public:
  Cursor() = default;
  virtual ~Cursor() = default;
  virtual void SeekToFirst() = 0;
  virtual void Next() = 0;
  virtual string key() = 0;
  virtual string value() = 0;
  virtual bool valid() = 0;

  DISABLE_COPY_AND_ASSIGN(Cursor);
};

class Transaction {
 public:
  Transaction() = default;
  virtual ~Transaction() = default;
  virtual void Put(const string& key, const string& value) = 0;
  virtual void Commit() = 0;

  DISABLE_COPY_AND_ASSIGN(Transaction);
};

// All failures throw Error naming the database and what the library said.
class DB {
 public:
  DB() = default;
  virtual ~DB() = default;
  // NEW refuses a path that exists, unless it is an empty directory.
  virtual void Open(const string& source, Mode mode) = 0;
  virtual void Close() = 0;
  virtual Cursor* NewCursor() = 0;
  virtual Transaction* NewTransaction() = 0;

  DISABLE_COPY_AND_ASSIGN(DB);
};

// "lmdb" or "leveldb"; throws Error for another. The caller owns the result, as in Caffe.
DB* GetDB(DataParameter::DB backend);
DB* GetDB(const string& backend);
// Throws Error unless a new database can be made at this path.
void RequireFree(const string& source);

// A key for a message: one line, not too long, bytes that are no text as \xNN.
string PrintableKey(const string& key);

}  // namespace caffe::db
