// Reads the records of an LMDB file, trusting nothing in it.
//
// liblmdb follows every page number and offset it finds: a damaged or truncated file ends the process. A reader of
// other people's files cannot accept that, so reading goes through this walk of the tree, which checks each step and
// copies through pread. liblmdb still opens, locks and writes, and its read transaction keeps the pages of the walk
// from being written over.
//
// The format is that of LMDB 0.9 (data version 1) on 64-bit little-endian machines, as in lmdb.h and mdb.c of liblmdb.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "caffe/common.hpp"

namespace caffe::db {

// A record's key, and where its value is.
struct LmdbRecord {
  string key;
  string small_value;            // where large_page is 0
  std::uint64_t large_page = 0;  // first of the pages of a large value
  size_t large_size = 0;
};

// Goes through the records of one committed state of the database in the order of their keys. Throws Error naming the
// database where the file is damaged.
class LmdbTree {
 public:
  // `descriptor` of data.mdb and `transaction`, the number of the state, are liblmdb's. Throws Error when the file does
  // not hold this state (any more).
  LmdbTree(const string& source, int descriptor, size_t page_size, std::uint64_t transaction);

  void SeekToFirst();
  void Next();
  bool valid() const { return valid_; }
  const string& key() const { return record_.key; }
  string value() const;

 private:
  using Page = vector<unsigned char>;
  // A page on the way from the root, and the entry of it that was taken.
  struct Level {
    std::uint64_t number = 0;
    Page page;
    size_t entry = 0;
  };
  // An entry of a branch or leaf page, inside the page.
  struct Node {
    const unsigned char* key;
    size_t key_size;
    const unsigned char* data;  // up to the end of the page
    size_t data_room;
    std::uint64_t low, flags;  // two and one 16-bit words: a page number, or a size and its flags
  };

  [[noreturn]] void Damaged(const string& what) const;
  // Bytes [offset, offset + size) of the file.
  void Read(std::uint64_t offset, void* to, size_t size) const;
  void Load(std::uint64_t number, bool leaf, Level* level) const;
  Node NodeAt(const Level& level) const;
  // From level `depth` down to the first leaf below it.
  void Descend(size_t depth);
  void TakeRecord();

  string source_;
  int descriptor_;
  size_t page_size_;
  std::uint64_t root_ = 0, entries_ = 0;
  size_t depth_ = 0;
  bool ordered_ = true;  // by the bytes of the keys

  vector<Level> levels_;
  std::uint64_t taken_ = 0;  // records so far
  LmdbRecord record_;
  bool valid_ = false;
};

}  // namespace caffe::db
