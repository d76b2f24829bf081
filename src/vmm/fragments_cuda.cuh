// How a warp takes codes from tiles: 32 vectors, two times 16 rows of a product.
#pragma once

#include <cstdint>

#include "cuda/tensor_core.cuh"
#include "vmm/tiles_cuda.hpp"

namespace rxnn::cuda {

constexpr int kWarpThreads = 32;
constexpr int kReadThreads = 128;  // of a block: 2 x 2 warps
constexpr int kBlockVectors = 64;  // of a block
constexpr int kWarpVectors = 32;   // of a warp
constexpr int kChunk = 64;         // rows whose codes are in registers: four times 16
constexpr int kHalves = 2;         // 16 vectors each
constexpr int kWarpEights = 4;     // eights of columns of a warp

// Codes of kChunk rows as pairs of 16 bits, laid out as `a` of MultiplyBf16: [half][row / 16][4].
using CodeFragment = std::uint32_t[kHalves][kChunk / 16][4];

// What a lane is to its warp.
struct LanePlace {
  int lane, group, rest;  // lane = 4 group + rest
  int first_vector;       // of the warp
  int first_eight;        // of the warp's columns

  __device__ LanePlace() {
    const int warp = threadIdx.x / kWarpThreads;
    lane = threadIdx.x % kWarpThreads;
    group = lane / 4;
    rest = lane % 4;
    first_vector = blockIdx.x * kBlockVectors + warp / 2 * kWarpVectors;
    first_eight = warp % 2 * kWarpEights;
  }
  // Vector of d[2 i], d[2 i + 1] of a half.
  __device__ int Vector(int half, int i) const { return first_vector + half * 16 + i * 8 + group; }
};

__device__ inline void LoadCodes(const TiledLayer& layer, const TiledCodes& codes, const LanePlace& at, int pass,
                                 int group, int row_tile, int first_row, CodeFragment& to) {
  const int padded = layer.padded_rows();
  const std::int64_t plane = (static_cast<std::int64_t>(pass) * layer.groups + group) * codes.vectors;
  for (int half = 0; half < kHalves; ++half) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      const int vector = at.Vector(half, i);
      const std::uint16_t* row = codes.codes + ((plane + vector) * layer.row_tiles + row_tile) * padded + first_row;
      const std::uint32_t* pairs = reinterpret_cast<const std::uint32_t*>(row);
#pragma unroll
      for (int step = 0; step < kChunk / 16; ++step) {
#pragma unroll
        for (int late = 0; late < 2; ++late) {
          const bool there = vector < codes.vectors && first_row + step * 16 < padded;
          to[half][step][2 * late + i] = there ? __ldg(pairs + step * 8 + late * 4 + at.rest) : 0;
        }
      }
    }
  }
}

// use(eight, half, i, vector, column) for every sum that a lane holds: of one of `vectors`, and a column below `cols`.
template <typename Use>
__device__ inline void ForEachSum(const LanePlace& at, int vectors, int cols, const Use& use) {
#pragma unroll
  for (int eight = 0; eight < kWarpEights; ++eight) {
#pragma unroll
    for (int half = 0; half < kHalves; ++half) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const int col = (at.first_eight + eight) * 8 + at.rest * 2 + i % 2;
        const int vector = at.Vector(half, i / 2);
        if (vector < vectors && col < cols) use(eight, half, i, vector, col);
      }
    }
  }
}

// Two small whole numbers as bf16, exact up to 256.
__device__ inline std::uint32_t Bf16Pair(int first, int second) {
  return BitsOf(static_cast<float>(first)) >> 16 | (BitsOf(static_cast<float>(second)) & 0xFFFF0000u);
}

}  // namespace rxnn::cuda
