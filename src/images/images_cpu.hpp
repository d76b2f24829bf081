// The kernels of images_cpu.cpp behind their run-time dispatch; arguments are not checked.
#pragma once

#include <cstdint>

#include "rxnn/convolution.hpp"

namespace rxnn {

// Bytes that lie `step` apart from `from` on.
struct ByteRun {
  std::int64_t from = 0;
  std::int32_t to = 0;  // place in the line
  std::int32_t length = 0;
};

// line[run.to + i] = bytes[run.from + i * step] for all runs, in order. Reads and writes up to kOverrun bytes beyond
// the end of a run.
inline constexpr int kOverrun = 64;
void GatherLineCpu(const std::uint8_t* bytes, const ByteRun* runs, std::int64_t count, std::int64_t step,
                   std::uint8_t* line);

// out[i * out_stride + r] = lines[r][i] for 16 lines and `length` bytes, a multiple of 16.
void TransposeLinesCpu(const std::uint8_t* const* lines, std::int64_t length, std::uint8_t* out,
                       std::int64_t out_stride);

// StorePlanes of rxnn/convolution.hpp.
void StorePlanesCpu(const double* sums, std::int64_t stride, std::int64_t vectors, std::int64_t outputs,
                    const PlaneMap& map, float* out, std::int64_t out_stride);

}  // namespace rxnn
