#include "caffe/util/db_lmdb.hpp"

#include <lmdb.h>
#include <sys/stat.h>

#include <atomic>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

namespace caffe::db {
namespace fs = std::filesystem;

// An open database. liblmdb forbids to open one twice in a process, so all that use it share this.
class LmdbEnvironment {
 public:
  LmdbEnvironment(const string& source, bool writable) : source_(source), writable_(writable) {
    // No thread-local reader slots: cursors wander between threads.
    const unsigned flags = MDB_NOTLS | (writable ? 0 : MDB_RDONLY);
    int status = TryOpen(flags);
    // A lock file cannot be made where nothing can be written; nobody else writes there either.
    if (!writable && (status == EACCES || status == EPERM || status == EROFS)) status = TryOpen(flags | MDB_NOLOCK);
    Require(status, "cannot open");
    try {
      CheckNotTruncated();
      OpenTable();
    } catch (...) {
      mdb_env_close(env_);
      throw;
    }
  }
  ~LmdbEnvironment() { mdb_env_close(env_); }
  LmdbEnvironment(const LmdbEnvironment&) = delete;
  LmdbEnvironment& operator=(const LmdbEnvironment&) = delete;

  const string& source() const { return source_; }
  bool writable() const { return writable_; }
  MDB_env* env() const { return env_; }
  std::atomic<int>& readers() { return readers_; }
  MDB_dbi table() const { return table_; }

  // Twice the room for records.
  void Grow() {
    // The map moves: what readers point at would be gone.
    CAFFE_REQUIRE(readers_ == 0) << "LMDB " << source_ << ": cannot grow while this process reads it";
    MDB_envinfo info;
    Require(mdb_env_info(env_, &info), "cannot grow");
    Require(mdb_env_set_mapsize(env_, info.me_mapsize * 2), "cannot grow");
  }

  // Throws for a status of liblmdb other than success.
  void Require(int status, const string& what) const {
    CAFFE_REQUIRE(status == MDB_SUCCESS) << "LMDB " << source_ << ": " << what << ": " << mdb_strerror(status);
  }

 private:
  // On failure nothing stays open.
  int TryOpen(unsigned flags) {
    Require(mdb_env_create(&env_), "cannot open");
    // Address space to begin with; the file grows with its records.
    if (flags == MDB_NOTLS) Require(mdb_env_set_mapsize(env_, size_t{1} << 24), "cannot open");
    const int status = mdb_env_open(env_, source_.c_str(), flags, 0664);
    if (status != MDB_SUCCESS) mdb_env_close(env_);
    return status;
  }

  // liblmdb maps the file and trusts it: a page that is not there would be the end of the process.
  void CheckNotTruncated() const {
    MDB_envinfo info;
    MDB_stat stat;
    Require(mdb_env_info(env_, &info), "cannot read");
    Require(mdb_env_stat(env_, &stat), "cannot read");
    const std::uintmax_t expected = (static_cast<std::uintmax_t>(info.me_last_pgno) + 1) * stat.ms_psize;
    const std::uintmax_t actual = fs::file_size(fs::path(source_) / "data.mdb");
    CAFFE_REQUIRE(actual >= expected || info.me_last_txnid == 0)
        << "LMDB " << source_ << ": data.mdb is truncated: it has " << actual << " bytes of " << expected;
  }

  void OpenTable() {
    MDB_txn* transaction = nullptr;
    Require(mdb_txn_begin(env_, nullptr, writable_ ? 0 : MDB_RDONLY, &transaction), "cannot read");
    int status = mdb_dbi_open(transaction, nullptr, 0, &table_);
    if (status == MDB_SUCCESS) {
      status = mdb_txn_commit(transaction);
    } else {
      mdb_txn_abort(transaction);
    }
    Require(status, "cannot read");
  }

  string source_;
  bool writable_;
  MDB_env* env_ = nullptr;
  MDB_dbi table_ = 0;
  std::atomic<int> readers_{0};
};

namespace {

// Open databases of this process by the identity of data.mdb.
class OpenEnvironments {
 public:
  static OpenEnvironments& Get() {
    static OpenEnvironments environments;
    return environments;
  }

  shared_ptr<LmdbEnvironment> Open(const string& source, bool writable) {
    const std::lock_guard<std::mutex> lock(mutex_);
    const string file = source + "/data.mdb";
    if (const shared_ptr<LmdbEnvironment> open = Find(file)) {
      CAFFE_REQUIRE(!writable) << "LMDB " << source << ": cannot be opened for writing while this process has it open";
      return open;
    }
    auto environment = std::make_shared<LmdbEnvironment>(source, writable);
    struct stat status;
    if (stat(file.c_str(), &status) == 0) open_[{status.st_dev, status.st_ino}] = environment;
    return environment;
  }

 private:
  shared_ptr<LmdbEnvironment> Find(const string& file) {
    for (auto entry = open_.begin(); entry != open_.end();) {
      entry = entry->second.expired() ? open_.erase(entry) : std::next(entry);
    }
    struct stat status;
    if (stat(file.c_str(), &status) != 0) return nullptr;
    const auto found = open_.find({status.st_dev, status.st_ino});
    return found == open_.end() ? nullptr : found->second.lock();
  }

  std::mutex mutex_;
  map<pair<dev_t, ino_t>, std::weak_ptr<LmdbEnvironment>> open_;
};

void RequireDatabase(const string& source) {
  CAFFE_REQUIRE(fs::exists(source)) << "Database not found: " << source;
  CAFFE_REQUIRE(fs::is_directory(source))
      << source << " is a file; an LMDB database is a directory with data.mdb in it";
  if (fs::exists(source + "/data.mdb")) return;
  CAFFE_REQUIRE(!fs::exists(source + "/CURRENT"))
      << source << " is no LMDB database but looks like a LevelDB one: its back end would be LEVELDB";
  throw Error(source + " is no LMDB database: it has no data.mdb");
}

}  // namespace

void LMDB::Open(const string& source, Mode mode) {
  Close();
  if (mode == NEW) {
    CAFFE_REQUIRE(!fs::exists(source)) << "cannot make the database " << source << ": it exists already";
    CAFFE_REQUIRE(mkdir(source.c_str(), 0777) == 0)
        << "cannot make the database " << source << ": " << std::strerror(errno);
  } else {
    RequireDatabase(source);
  }
  environment_ = OpenEnvironments::Get().Open(source, mode != READ);
}

LMDBCursor* LMDB::NewCursor() {
  CHECK(environment_) << "the database is not open";
  return new LMDBCursor(environment_);
}

LMDBTransaction* LMDB::NewTransaction() {
  CHECK(environment_) << "the database is not open";
  CAFFE_REQUIRE(environment_->writable()) << "LMDB " << environment_->source() << ": opened for reading only";
  return new LMDBTransaction(environment_);
}

LMDBCursor::LMDBCursor(shared_ptr<LmdbEnvironment> environment) : environment_(std::move(environment)) {
  environment_->Require(mdb_txn_begin(environment_->env(), nullptr, MDB_RDONLY, &transaction_), "cannot read");
  try {
    environment_->Require(mdb_cursor_open(transaction_, environment_->table(), &cursor_), "cannot read");
    SeekToFirst();
  } catch (...) {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
    mdb_txn_abort(transaction_);
    throw;
  }
  ++environment_->readers();
}

LMDBCursor::~LMDBCursor() {
  mdb_cursor_close(cursor_);
  mdb_txn_abort(transaction_);
  --environment_->readers();
}

void LMDBCursor::SeekToFirst() { Seek(MDB_FIRST); }
void LMDBCursor::Next() { Seek(MDB_NEXT); }

void LMDBCursor::Seek(int operation) {
  MDB_val key, value;
  const int status = mdb_cursor_get(cursor_, &key, &value, static_cast<MDB_cursor_op>(operation));
  valid_ = status != MDB_NOTFOUND;
  if (!valid_) return;
  environment_->Require(status, key_.empty() ? "cannot read the first record" : "cannot read the record after " + key_);
  key_.assign(static_cast<const char*>(key.mv_data), key.mv_size);
  value_ = static_cast<const char*>(value.mv_data);
  value_size_ = value.mv_size;
}

string LMDBCursor::value() { return string(value_, value_size_); }

LMDBTransaction::LMDBTransaction(shared_ptr<LmdbEnvironment> environment) : environment_(std::move(environment)) {}

void LMDBTransaction::Commit() {
  const auto put_all = [&]() -> int {
    MDB_txn* transaction = nullptr;
    environment_->Require(mdb_txn_begin(environment_->env(), nullptr, 0, &transaction), "cannot write");
    for (const auto& [key, value] : records_) {
      MDB_val mdb_key{key.size(), const_cast<char*>(key.data())};
      MDB_val mdb_value{value.size(), const_cast<char*>(value.data())};
      const int status = mdb_put(transaction, environment_->table(), &mdb_key, &mdb_value, 0);
      if (status == MDB_SUCCESS) continue;
      mdb_txn_abort(transaction);
      if (status == MDB_MAP_FULL) return status;
      environment_->Require(status, "cannot write the record " + key);
    }
    return mdb_txn_commit(transaction);
  };

  int status = put_all();
  while (status == MDB_MAP_FULL) {
    environment_->Grow();
    status = put_all();
  }
  environment_->Require(status, "cannot write");
  records_.clear();
}

}  // namespace caffe::db
