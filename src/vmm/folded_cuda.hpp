// Ideal converters on the tensor cores of a GPU: folded.hpp for a whole layer in one launch. Plain C++; all pointers
// are to the memory of the device.
#pragma once

#include <cstdint>

#include "vmm/tiles_cuda.hpp"

namespace rxnn::cuda {

// sums[group][vector][output] = sum_input code * level, code = positive part - negative part. Products are added in
// float32 over the rows of a tile, for every byte of the codes and every part of the levels by itself, and in double
// beyond: exact where levels are whole and a tile's sums below 2^24.
struct FoldedLayer {
  TiledLayer layer;                      // folded; at most 64 rows in a tile
  TiledCodes codes;                      // of up to 16 bits
  const std::uint32_t* words = nullptr;  // PackLevels
  int parts = 1;
  int bytes = 1;           // of a code
  double* sums = nullptr;  // [groups][vectors][outputs]
};

void MultiplyFolded(const FoldedLayer& folded);

}  // namespace rxnn::cuda
