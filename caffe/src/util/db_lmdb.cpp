#include "caffe/util/db_lmdb.hpp"

#include <lmdb.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <mutex>

#include "caffe/util/io.hpp"
#include "lmdb_tree.hpp"

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

  // The records as the given transaction left them; it must be one that liblmdb keeps.
  std::unique_ptr<LmdbTree> Tree(std::uint64_t transaction) const {
    int descriptor = -1;
    Require(mdb_env_get_fd(env_, &descriptor), "cannot read");
    return std::make_unique<LmdbTree>(source_, descriptor, PageSize(), transaction);
  }
  MDB_dbi table() const { return table_; }

  // Twice the room for records.
  void Grow() {
    // The map moves. Readers of this process do not mind: they do not use it.
    MDB_envinfo info;
    Require(mdb_env_info(env_, &info), "cannot grow");
    Require(mdb_env_set_mapsize(env_, info.me_mapsize * 2), "cannot grow");
  }

  // Throws for a status of liblmdb other than success.
  void Require(int status, const string& what) const {
    CAFFE_REQUIRE(status == MDB_SUCCESS) << "LMDB " << source_ << ": " << what << ": " << mdb_strerror(status);
  }

 private:
  size_t PageSize() const {
    MDB_stat stat;
    Require(mdb_env_stat(env_, &stat), "cannot read");
    return stat.ms_psize;
  }

  // On failure nothing stays open.
  int TryOpen(unsigned flags) {
    Require(mdb_env_create(&env_), "cannot open");
    // Address space to begin with; the file grows with its records.
    if (flags == MDB_NOTLS) Require(mdb_env_set_mapsize(env_, size_t{1} << 24), "cannot open");
    const int status = mdb_env_open(env_, source_.c_str(), flags, 0664);
    if (status != MDB_SUCCESS) mdb_env_close(env_);
    return status;
  }

  // Early, rather than when the reading gets there. Pages at the end that hold nothing need not be in the file.
  void CheckNotTruncated() const {
    MDB_envinfo info;
    Require(mdb_env_info(env_, &info), "cannot read");
    const std::uintmax_t expected = (static_cast<std::uintmax_t>(info.me_last_pgno) + 1) * PageSize();
    if (info.me_last_txnid == 0 || fs::file_size(fs::path(source_) / "data.mdb") >= expected) return;
    const auto tree = Tree(info.me_last_txnid);
    for (; tree->valid(); tree->Next()) tree->value();
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

// liblmdb divides by the page size that the file gives. It stands in both meta pages, behind the page's header (16
// bytes), magic number, version, address and map size (24 bytes); the second follows one page after the first.
void RequirePageSize(const string& source) {
  constexpr std::uint32_t kSmallest = 256, kLargest = 32768;
  std::ifstream file(source + "/data.mdb", ios::in | ios::binary);
  std::uint32_t size = 0, second = 0;
  const auto read = [&](std::streamoff page, std::uint32_t* to) {
    return static_cast<bool>(file.seekg(page + 40).read(reinterpret_cast<char*>(to), sizeof(*to)));
  };
  if (!read(0, &size)) return;  // too short to be one: liblmdb says so
  const bool possible = size >= kSmallest && size <= kLargest && (size & (size - 1)) == 0;
  CAFFE_REQUIRE(possible && (!read(size, &second) || second == size))
      << "LMDB " << source << ": data.mdb is damaged, or no LMDB file: a page size of " << (possible ? second : size)
      << " is not possible";
}

void RequireDatabase(const string& source) {
  CAFFE_REQUIRE(fs::exists(source)) << "Database not found: " << source;
  CAFFE_REQUIRE(fs::is_directory(source))
      << source << " is a file; an LMDB database is a directory with data.mdb in it";
  if (fs::exists(source + "/data.mdb")) {
    RequireFile(source + "/data.mdb");
    RequirePageSize(source);
    return;
  }
  CAFFE_REQUIRE(!fs::exists(source + "/CURRENT"))
      << source << " is no LMDB database but looks like a LevelDB one: its back end would be LEVELDB";
  throw Error(source + " is no LMDB database: it has no data.mdb");
}

}  // namespace

void LMDB::Open(const string& source, Mode mode) {
  Close();
  if (mode == NEW) {
    RequireFree(source);
    CAFFE_REQUIRE(fs::exists(source) || mkdir(source.c_str(), 0777) == 0)
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

// A read transaction: what it can see is not written over while it lasts.
class LMDBCursor::Snapshot {
 public:
  explicit Snapshot(shared_ptr<LmdbEnvironment> environment) : environment_(std::move(environment)) {
    environment_->Require(mdb_txn_begin(environment_->env(), nullptr, MDB_RDONLY, &transaction_), "cannot read");
  }
  ~Snapshot() { mdb_txn_abort(transaction_); }
  Snapshot(const Snapshot&) = delete;
  Snapshot& operator=(const Snapshot&) = delete;

  std::unique_ptr<LmdbTree> Tree() const { return environment_->Tree(mdb_txn_id(transaction_)); }

 private:
  shared_ptr<LmdbEnvironment> environment_;
  MDB_txn* transaction_ = nullptr;
};

LMDBCursor::LMDBCursor(shared_ptr<LmdbEnvironment> environment)
    : snapshot_(std::make_unique<Snapshot>(std::move(environment))), tree_(snapshot_->Tree()) {}

LMDBCursor::~LMDBCursor() = default;

void LMDBCursor::SeekToFirst() { tree_->SeekToFirst(); }
void LMDBCursor::Next() { tree_->Next(); }
string LMDBCursor::key() { return tree_->key(); }
string LMDBCursor::value() { return tree_->value(); }
bool LMDBCursor::valid() { return tree_->valid(); }

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
      environment_->Require(status, "cannot write the record " + PrintableKey(key));
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
