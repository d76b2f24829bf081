#include "cuda/device_memory.hpp"
#include "cuda/launch.cuh"
#include "cuda/tensor_core.cuh"
#include "vmm/tiles_cuda.hpp"

namespace rxnn::cuda {
namespace {

constexpr int kThreads = 256;

// Where a tile is: the number of its matrix, counted as the words are.
struct TilePlace {
  int group, row_tile, panel, matrix;

  __device__ TilePlace(const TiledLayer& layer, std::int64_t tile) {
    matrix = static_cast<int>(tile % layer.matrices);
    tile /= layer.matrices;
    panel = static_cast<int>(tile % layer.panels);
    tile /= layer.panels;
    row_tile = static_cast<int>(tile % layer.row_tiles);
    group = static_cast<int>(tile / layer.row_tiles);
  }
};

__device__ float LevelAt(const TiledLayer& layer, int group, int polarity, int slice, int input, int output) {
  const std::int64_t plane = (static_cast<std::int64_t>(group) * layer.polarities + polarity) * layer.slices + slice;
  return layer.levels[(plane * layer.inputs + input) * layer.outputs + output];
}

// What is multiplied at one place of a tile, 0 beyond its rows and columns.
__device__ float TileLevel(const TiledLayer& layer, const TilePlace& at, int row, int col) {
  const PanelPlace place = layer.places[at.panel];
  const int input = at.row_tile * layer.rows + row;
  if (row >= layer.rows || input >= layer.inputs || col >= place.cols) return 0;
  const int output = place.first + col;
  if (layer.folded) {
    double weight = layer.folded_start;
    double unit = 1;
    for (int slice = 0; slice < layer.slices; ++slice, unit *= 1 << layer.cell_bits) {
      double level = LevelAt(layer, at.group, 0, slice, input, output);
      if (layer.polarities == 2) level -= LevelAt(layer, at.group, 1, slice, input, output);
      weight += level * unit;
    }
    return static_cast<float>(weight);
  }
  if (layer.analog) {
    return LevelAt(layer, at.group, 0, at.matrix, input, output) -
           LevelAt(layer, at.group, 1, at.matrix, input, output);
  }
  return LevelAt(layer, at.group, at.matrix % layer.polarities, at.matrix / layer.polarities, input, output);
}

// A block takes one matrix.
__global__ void PartsNeededKernel(TiledLayer layer, int* most) {
  const TilePlace at(layer, blockIdx.x + static_cast<std::int64_t>(blockIdx.y) * gridDim.x);
  if (at.group >= layer.groups) return;
  int needed = 1;
  for (int i = threadIdx.x; i < layer.rows * kTileCols; i += kThreads) {
    float rest = TileLevel(layer, at, i / kTileCols, i % kTileCols);
    int parts = 0;
    while (rest != 0 && parts < kMostParts) {
      rest -= FloatOf(NearestBf16(rest));
      ++parts;
    }
    needed = parts > needed ? parts : needed;
  }
  if (needed > 1) atomicMax(most, needed);
}

__global__ void PackLevelsKernel(TiledLayer layer, int parts, std::uint32_t* words) {
  const std::int64_t tile = blockIdx.x + static_cast<std::int64_t>(blockIdx.y) * gridDim.x;
  const TilePlace at(layer, tile);
  if (at.group >= layer.groups) return;
  const int steps = layer.padded_rows() / kTileStep;
  const std::int64_t part_words = layer.part_words();
  for (int i = threadIdx.x; i < part_words; i += kThreads) {
    const int word = i % 4;
    const int lane = i / 4 % 32;
    const int step = i / 128 % steps;
    const int row = step * kTileStep + word * 8 + lane % 4 * 2;
    const int col = i / 128 / steps * 8 + lane / 4;
    const float first = TileLevel(layer, at, row, col);
    const float second = TileLevel(layer, at, row + 1, col);
    for (int part = 0; part < parts; ++part) {
      words[(tile * parts + part) * part_words + i] = Bf16Part(first, part) | Bf16Part(second, part) << 16;
    }
  }
}

// One block for every tile, in two dimensions: there may be more than one has.
dim3 TileGridOf(const TiledLayer& layer) {
  constexpr std::int64_t kAcross = 1 << 20;
  const std::int64_t tiles = layer.tiles();
  return tiles <= kAcross ? dim3(static_cast<unsigned>(tiles)) : dim3(kAcross, Blocks(tiles, kAcross));
}

}  // namespace

int PartsNeeded(const TiledLayer& layer, int* scratch) {
  int most = 1;
  ToDevice(scratch, &most, sizeof(most));
  Launch(PartsNeededKernel, TileGridOf(layer), kThreads, 0, layer, scratch);
  ToHost(&most, scratch, sizeof(most));
  return most;
}

void PackLevels(const TiledLayer& layer, int parts, std::uint32_t* words) {
  Launch(PackLevelsKernel, TileGridOf(layer), kThreads, 0, layer, parts, words);
}

}  // namespace rxnn::cuda
