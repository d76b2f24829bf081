// Where the elements of row-major arrays lie.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <numeric>
#include <vector>

namespace rxnn {

inline std::int64_t Product(const std::vector<int>& values) {
  return std::accumulate(values.begin(), values.end(), std::int64_t{1}, std::multiplies<std::int64_t>());
}

// Coordinates of the index-th element of a row-major array.
inline std::vector<int> Coordinates(std::int64_t index, const std::vector<int>& shape) {
  std::vector<int> coordinates(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; index /= shape[axis]) {
    coordinates[axis] = static_cast<int>(index % shape[axis]);
  }
  return coordinates;
}

// sum_axis (start[axis] + step[axis] * coordinate) * pitch[axis] of every element of a row-major array.
inline std::vector<std::int64_t> Offsets(const std::vector<int>& shape, const std::vector<int>& start,
                                         const std::vector<int>& step, const std::vector<std::int64_t>& pitch) {
  std::vector<std::int64_t> offsets(Product(shape), 0);
  for (std::size_t i = 0; i < offsets.size(); ++i) {
    const std::vector<int> at = Coordinates(static_cast<std::int64_t>(i), shape);
    for (std::size_t axis = 0; axis < shape.size(); ++axis) {
      offsets[i] += (start[axis] + static_cast<std::int64_t>(step[axis]) * at[axis]) * pitch[axis];
    }
  }
  return offsets;
}

// All axes but the last.
inline std::vector<int> Outer(std::vector<int> values) {
  if (!values.empty()) values.pop_back();
  return values;
}

}  // namespace rxnn
