// Lists of images and their labels, as text: one "<name> <label>" a line.
#pragma once

#include <exception>
#include <new>
#include <string>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {

struct ImageListEntry {
  string name;
  int label;
  int line;  // in the list, from 1
};

// The name may hold spaces: the last one ends it. Empty lines are passed over. Throws Error for a file that cannot be
// read, or naming the line that has no name or no whole number as its label.
vector<ImageListEntry> ReadImageList(const string& filename);

// Why a file that should be an image could not be read, for a message.
string WhyUnreadable(const string& image);

// Runs `action`; an error gets the list, the line and the image's name in front.
template <typename Action>
auto InListEntry(const string& list, const ImageListEntry& entry, Action action) {
  try {
    return action();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& error) {
    throw Error(list + ":" + std::to_string(entry.line) + ": " + entry.name + ": " + error.what());
  }
}

}  // namespace caffe
