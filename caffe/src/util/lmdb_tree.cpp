#include "lmdb_tree.hpp"

#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "caffe/util/db.hpp"

namespace caffe::db {
namespace {

// Every page: its number (64 bits), padding (16), flags (16), then where the free room begins and ends (16 each) and
// the offsets of the entries (16 each); or, on the first page of a large value, the number of its pages (32).
constexpr size_t kPageHeader = 16;
constexpr size_t kFlagsAt = 10, kLowerAt = 12, kPagesAt = 12;
constexpr unsigned kBranch = 0x01, kLeaf = 0x02, kOverflow = 0x04;

// Entry: two words of size or page number, a word of flags, the size of the key, key, data.
constexpr size_t kNodeHeader = 8;
constexpr unsigned kLargeValue = 0x01;

// A meta page, of which there are two, written in turns: after the header a magic number, version, address and size of
// the map, the free and the main tree, the last page and the transaction. Of a tree: padding (32), flags (16), depth
// (16), numbers of branch, leaf and overflow pages and of entries, and the root.
constexpr size_t kMainTreeAt = kPageHeader + 24 + 48, kTransactionAt = kMainTreeAt + 48 + 8;
constexpr size_t kTreeFlagsAt = 4, kTreeDepthAt = 6, kTreeEntriesAt = 32, kTreeRootAt = 40;
constexpr unsigned kReverseKey = 0x02, kDupSort = 0x04, kIntegerKey = 0x08;
constexpr std::uint64_t kNoPage = ~std::uint64_t{0};
constexpr size_t kDeepest = 32;

template <typename Number>
Number Get(const unsigned char* from) {
  Number number;
  std::memcpy(&number, from, sizeof(number));
  return number;
}

}  // namespace

LmdbTree::LmdbTree(const string& source, int descriptor, size_t page_size, std::uint64_t transaction)
    : source_(source), descriptor_(descriptor), page_size_(page_size) {
  unsigned char meta[kTransactionAt + 8];
  Read((transaction & 1) * page_size, meta, sizeof(meta));
  CAFFE_REQUIRE(Get<std::uint64_t>(meta + kTransactionAt) == transaction)
      << "LMDB " << source_ << ": changed while it was opened";
  const unsigned char* tree = meta + kMainTreeAt;
  const unsigned flags = Get<std::uint16_t>(tree + kTreeFlagsAt);
  CAFFE_REQUIRE((flags & kDupSort) == 0) << "LMDB " << source_ << ": has several values for a key (MDB_DUPSORT)";
  ordered_ = (flags & (kReverseKey | kIntegerKey)) == 0;
  depth_ = Get<std::uint16_t>(tree + kTreeDepthAt);
  entries_ = Get<std::uint64_t>(tree + kTreeEntriesAt);
  root_ = Get<std::uint64_t>(tree + kTreeRootAt);
  const bool empty = root_ == kNoPage;
  if (empty ? entries_ != 0 : depth_ == 0 || depth_ > kDeepest) Damaged("its root is not possible");
  SeekToFirst();
}

void LmdbTree::Damaged(const string& what) const { throw Error("LMDB " + source_ + ": data.mdb is damaged: " + what); }

void LmdbTree::Read(std::uint64_t offset, void* to, size_t size) const {
  auto* bytes = static_cast<char*>(to);
  while (size > 0) {
    const ssize_t count = pread(descriptor_, bytes, size, static_cast<off_t>(offset));
    if (count < 0 && errno == EINTR) continue;
    CAFFE_REQUIRE(count >= 0) << "LMDB " << source_ << ": cannot read: " << std::strerror(errno);
    if (count == 0) Damaged("it is truncated, byte " + std::to_string(offset) + " is beyond its end");
    bytes += count;
    offset += count;
    size -= count;
  }
}

void LmdbTree::Load(std::uint64_t number, bool leaf, Level* level) const {
  const string name = "page " + std::to_string(number);
  if (number > kNoPage / 2 / page_size_) Damaged(name + " is not possible");
  level->page.resize(page_size_);
  Read(number * page_size_, level->page.data(), page_size_);
  level->number = number;
  level->entry = 0;
  const unsigned char* page = level->page.data();
  const unsigned kind = Get<std::uint16_t>(page + kFlagsAt) & (kBranch | kLeaf | kOverflow);
  if (Get<std::uint64_t>(page) != number || kind != (leaf ? kLeaf : kBranch)) {
    Damaged(name + " should be a " + (leaf ? "leaf" : "branch") + " page");
  }
  const size_t lower = Get<std::uint16_t>(page + kLowerAt);
  if (lower < kPageHeader + 2 || lower > page_size_) Damaged(name + " has no entries");
}

LmdbTree::Node LmdbTree::NodeAt(const Level& level) const {
  const unsigned char* page = level.page.data();
  const size_t lower = Get<std::uint16_t>(page + kLowerAt);
  const size_t offset = Get<std::uint16_t>(page + kPageHeader + 2 * level.entry);
  const auto damaged = [&] {
    Damaged("entry " + std::to_string(level.entry) + " of page " + std::to_string(level.number) + " leaves the page");
  };
  if (offset < lower || offset + kNodeHeader > page_size_) damaged();
  const unsigned char* header = page + offset;
  Node node;
  node.low = Get<std::uint32_t>(header);
  node.flags = Get<std::uint16_t>(header + 4);
  node.key_size = Get<std::uint16_t>(header + 6);
  if (offset + kNodeHeader + node.key_size > page_size_) damaged();
  node.key = header + kNodeHeader;
  node.data = node.key + node.key_size;
  node.data_room = page_size_ - offset - kNodeHeader - node.key_size;
  return node;
}

void LmdbTree::SeekToFirst() {
  taken_ = 0;
  valid_ = root_ != kNoPage;
  if (!valid_) return;
  levels_.resize(depth_);
  Load(root_, depth_ == 1, &levels_[0]);
  Descend(0);
}

void LmdbTree::Descend(size_t depth) {
  for (; depth + 1 < depth_; ++depth) {
    const Node node = NodeAt(levels_[depth]);
    Load(node.low | node.flags << 32, depth + 2 == depth_, &levels_[depth + 1]);
  }
  TakeRecord();
}

void LmdbTree::Next() {
  if (!valid_) return;
  for (size_t depth = depth_; depth-- > 0;) {
    Level& level = levels_[depth];
    const size_t count = (Get<std::uint16_t>(level.page.data() + kLowerAt) - kPageHeader) / 2;
    if (++level.entry < count) {
      Descend(depth);
      return;
    }
  }
  valid_ = false;
  if (taken_ != entries_) {
    Damaged("it has " + std::to_string(taken_) + " of " + std::to_string(entries_) + " records");
  }
}

void LmdbTree::TakeRecord() {
  const Level& leaf = levels_.back();
  const Node node = NodeAt(leaf);
  const string key(reinterpret_cast<const char*>(node.key), node.key_size);
  if (++taken_ > entries_) Damaged("it has more records than were counted");
  if (ordered_ && taken_ > 1 && !(record_.key < key))
    Damaged("after the record " + PrintableKey(record_.key) + " comes " + PrintableKey(key));
  record_.key = key;
  const string name = "the value of the record " + PrintableKey(key);
  if ((node.flags & kLargeValue) == 0) {
    if (node.low > node.data_room) Damaged(name + " leaves its page");
    record_.large_page = 0;
    record_.small_value.assign(reinterpret_cast<const char*>(node.data), node.low);
    return;
  }
  if (node.data_room < sizeof(std::uint64_t)) Damaged(name + " leaves its page");
  record_.large_page = Get<std::uint64_t>(node.data);
  record_.large_size = node.low;
  if (record_.large_page == 0 || record_.large_page > kNoPage / 2 / page_size_) Damaged(name + " is on no page");
}

string LmdbTree::value() const {
  if (record_.large_page == 0) return record_.small_value;
  unsigned char header[kPageHeader];
  const std::uint64_t start = record_.large_page * page_size_;
  Read(start, header, kPageHeader);
  const std::uint64_t room = std::uint64_t{Get<std::uint32_t>(header + kPagesAt)} * page_size_;
  if (Get<std::uint64_t>(header) != record_.large_page || (Get<std::uint16_t>(header + kFlagsAt) & kOverflow) == 0 ||
      record_.large_size + kPageHeader > room) {
    Damaged("the value of the record " + PrintableKey(record_.key) + " is not on its page");
  }
  // A size out of a damaged page must not ask for memory that the file cannot fill.
  unsigned char last = 0;
  if (record_.large_size > 0) Read(start + kPageHeader + record_.large_size - 1, &last, 1);
  string value(record_.large_size, '\0');
  Read(start + kPageHeader, value.data(), value.size());
  return value;
}

}  // namespace caffe::db
