#include <stdexcept>

#include "cuda/launch.cuh"
#include "vmm/folded_cuda.hpp"
#include "vmm/fragments_cuda.cuh"

namespace rxnn::cuda {
namespace {

// One byte of positive less negative parts, as bf16.
__device__ void SignedBytes(const CodeFragment& positive, const CodeFragment& negative, int byte,
                            CodeFragment& digits) {
#pragma unroll
  for (int half = 0; half < kHalves; ++half) {
#pragma unroll
    for (int step = 0; step < kChunk / 16; ++step) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const std::uint32_t plus = positive[half][step][i] >> (8 * byte);
        const std::uint32_t minus = negative[half][step][i] >> (8 * byte);
        digits[half][step][i] = Bf16Pair(static_cast<int>(plus & 0xFF) - static_cast<int>(minus & 0xFF),
                                         static_cast<int>(plus >> 16 & 0xFF) - static_cast<int>(minus >> 16 & 0xFF));
      }
    }
  }
}

__global__ void __launch_bounds__(kReadThreads) MultiplyFoldedKernel(FoldedLayer folded) {
  const TiledLayer& layer = folded.layer;
  const LanePlace at;
  const int group = blockIdx.z;
  const PanelPlace place = layer.places[blockIdx.y];
  const int steps = layer.padded_rows() / kTileStep;
  const int part_quads = static_cast<int>(layer.part_words() / 4);
  double sums[kWarpEights][kHalves][4] = {};
  for (int row_tile = 0; row_tile < layer.row_tiles; ++row_tile) {
    const std::int64_t tile =
        (static_cast<std::int64_t>(group) * layer.row_tiles + row_tile) * layer.panels + blockIdx.y;
    const uint4* levels = reinterpret_cast<const uint4*>(folded.words) + tile * folded.parts * part_quads;
    CodeFragment positive, negative = {}, digits;
    LoadCodes(layer, folded.codes, at, 0, group, row_tile, 0, positive);
    if (folded.codes.passes == 2) LoadCodes(layer, folded.codes, at, 1, group, row_tile, 0, negative);
    for (int byte = 0; byte < folded.bytes; ++byte) {
      SignedBytes(positive, negative, byte, digits);
      for (int part = 0; part < folded.parts; ++part) {
#pragma unroll
        for (int eight = 0; eight < kWarpEights; ++eight) {
          float products[kHalves][4] = {};
#pragma unroll
          for (int step = 0; step < kChunk / kTileStep; ++step) {
            if (step >= steps) continue;
            const int row = (at.first_eight + eight) * steps + step;
            const uint4 b = levels[part * part_quads + row * kWarpThreads + at.lane];
#pragma unroll
            for (int half = 0; half < kHalves; ++half) {
              MultiplyBf16(products[half], digits[half][2 * step], b.x, b.y);
              MultiplyBf16(products[half], digits[half][2 * step + 1], b.z, b.w);
            }
          }
#pragma unroll
          for (int half = 0; half < kHalves; ++half) {
#pragma unroll
            for (int i = 0; i < 4; ++i) sums[eight][half][i] += products[half][i] * (byte == 0 ? 1.0 : 256.0);
          }
        }
      }
    }
  }
  ForEachSum(at, folded.codes.vectors, place.cols, [&](int eight, int half, int i, int vector, int col) {
    folded
        .sums[(static_cast<std::int64_t>(group) * folded.codes.vectors + vector) * layer.outputs + place.first + col] =
        sums[eight][half][i];
  });
}

}  // namespace

void MultiplyFolded(const FoldedLayer& folded) {
  if (folded.layer.rows > kChunk) throw std::invalid_argument("MultiplyFolded: more than 64 rows in a tile");
  const dim3 grid(Blocks(folded.codes.vectors, kBlockVectors), folded.layer.panels, folded.layer.groups);
  Launch(MultiplyFoldedKernel, grid, kReadThreads, 0, folded);
}

}  // namespace rxnn::cuda
