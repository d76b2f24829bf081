// What becomes of a record, an image or a file of data that cannot be read.
#pragma once

#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/util/in_threads.hpp"

namespace caffe {

// For the whole process: a record that cannot be read is an error, or, after set_skip(true), passed over, logged and
// counted.
class CorruptRecords {
 public:
  static void set_skip(bool skip);
  static bool skip();
  // Counts a record that was passed over, by its description; one that comes up again counts once.
  static void Add(const string& description);
  static size_t count();
};

// The next `count` good items of a source, in its order: take() gives the next, load(item) reads it, on a few threads,
// and throws Error where that fails. Ends early, with fewer, when stop(). Throws Error when nothing can be read any
// more.
template <typename Item, typename Take, typename Load, typename Stop>
vector<Item> LoadGoodItems(int count, Take take, Load load, Stop stop) {
  constexpr size_t kMostSkipped = 10000;
  vector<Item> good;
  size_t skipped = 0;
  while (static_cast<int>(good.size()) < count) {
    vector<Item> items;
    const int wanted = count - static_cast<int>(good.size());
    for (int i = 0; i < wanted && !stop(); ++i) items.push_back(take());
    vector<string> failures(items.size());
    InThreads(static_cast<int>(items.size()), DecodeThreads(), [&](int i) {
      try {
        if (!stop()) load(items[i]);
      } catch (const Error& error) {
        if (!CorruptRecords::skip()) throw;
        failures[i] = error.what();
      }
    });
    if (stop()) break;
    for (size_t i = 0; i < items.size(); ++i) {
      if (failures[i].empty()) {
        good.push_back(std::move(items[i]));
        skipped = 0;
        continue;
      }
      CorruptRecords::Add(failures[i]);
      CAFFE_REQUIRE(++skipped < kMostSkipped)
          << "none of the last " << skipped << " records can be read; the last: " << failures[i];
    }
  }
  return good;
}

}  // namespace caffe
