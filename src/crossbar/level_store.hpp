// The levels of a layer, once in memory.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <new>

#include "hwy/aligned_allocator.h"

namespace rxnn {

// levels[group][polarity][slice][input][output], as they are exchanged: its own, or those of the caller.
class LevelStore {
 public:
  struct Shape {
    int groups = 0;
    int polarities = 0;
    int slices = 0;
    int inputs = 0;
    int outputs = 0;
  };

  LevelStore() = default;
  // Levels of its own, not cleared.
  explicit LevelStore(const Shape& shape) : shape_(shape), own_(hwy::AllocateAligned<float>(size())) {
    if (!own_) throw std::bad_alloc();
    levels_ = own_.get();
  }
  // Those at `levels`, which must stay as they are for as long as they are used here.
  LevelStore(const Shape& shape, const float* levels) : shape_(shape), levels_(levels) {}

  std::size_t size() const {
    return static_cast<std::size_t>(shape_.groups) * shape_.polarities * shape_.slices * shape_.inputs * shape_.outputs;
  }
  const float* data() const { return levels_; }
  // Levels of one input; outputs follow each other.
  const float* row(int group, int polarity, int slice, int input) const {
    return levels_ + Offset(group, polarity, slice, input);
  }
  // Sets levels of its own to 0.
  void Clear() { std::fill_n(own_.get(), size(), 0.0f); }
  float* own_row(int group, int polarity, int slice, int input) {
    return own_.get() + Offset(group, polarity, slice, input);
  }

 private:
  std::size_t Offset(int group, int polarity, int slice, int input) const {
    const std::size_t plane = (static_cast<std::size_t>(group) * shape_.polarities + polarity) * shape_.slices + slice;
    return (plane * shape_.inputs + input) * shape_.outputs;
  }

  Shape shape_;
  hwy::AlignedFreeUniquePtr<float[]> own_;
  const float* levels_ = nullptr;
};

}  // namespace rxnn
