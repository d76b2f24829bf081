// A database that is there whole or not at all.
#pragma once

#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <memory>
#include <string>

#include "caffe/util/db.hpp"

namespace caffe::tools {

// While it lives, Ctrl-C and SIGTERM do not end the program but are noted, so that it can tidy up.
class NotedInterrupts {
 public:
  NotedInterrupts() : old_int_(std::signal(SIGINT, Note)), old_term_(std::signal(SIGTERM, Note)) {}
  ~NotedInterrupts() {
    std::signal(SIGINT, old_int_);
    std::signal(SIGTERM, old_term_);
  }
  NotedInterrupts(const NotedInterrupts&) = delete;
  NotedInterrupts& operator=(const NotedInterrupts&) = delete;

  // Throws Error after one.
  void Check() const { CAFFE_REQUIRE(!noted_) << "interrupted; no database was made"; }

 private:
  static void Note(int) { noted_ = 1; }

  inline static volatile std::sig_atomic_t noted_ = 0;
  void (*old_int_)(int);
  void (*old_term_)(int);
};

// Made beside its place and moved there by Publish; without that nothing is left of it.
class NewDatabase {
 public:
  // Throws Error where `path` exists or nothing can be made there.
  NewDatabase(const string& path, const string& backend)
      : path_(Trimmed(path)), temporary_(path_ + ".tmp" + std::to_string(getpid())), db_(db::GetDB(backend)) {
    CAFFE_REQUIRE(!std::filesystem::exists(std::filesystem::symlink_status(path_)))
        << "the database " << path_ << " exists already; remove it or give another name";
    db_->Open(temporary_, db::NEW);
  }
  ~NewDatabase() {
    if (!db_) return;
    db_.reset();
    std::error_code ignored;
    std::filesystem::remove_all(temporary_, ignored);
  }
  NewDatabase(const NewDatabase&) = delete;
  NewDatabase& operator=(const NewDatabase&) = delete;

  db::DB& db() { return *db_; }
  // Throws Error when the user or the system wants the program to end.
  void CheckInterrupts() const { interrupts_.Check(); }

  // All transactions must have committed.
  void Publish() {
    db_->Close();
    std::error_code error;
    // A lock file is made again by the first reader; moved, it would only be left over.
    std::filesystem::remove(std::filesystem::path(temporary_) / "lock.mdb", error);
    std::filesystem::rename(temporary_, path_, error);
    CAFFE_REQUIRE(!error) << "cannot make the database " << path_ << ": " << error.message();
    db_.reset();
  }

 private:
  // "db/" names the same folder as "db".
  static string Trimmed(string path) {
    while (path.size() > 1 && path.back() == '/') path.pop_back();
    CAFFE_REQUIRE(!path.empty()) << "the database has an empty name";
    return path;
  }

  NotedInterrupts interrupts_;
  string path_, temporary_;
  std::unique_ptr<db::DB> db_;
};

}  // namespace caffe::tools
