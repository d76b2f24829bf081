#include "cuda/launch.cuh"
#include "mapping/digits_cuda.hpp"

namespace rxnn::cuda {
namespace {

constexpr int kThreads = 256;

// A cell of an array, and the weight that it holds a digit of.
struct Cell {
  int group, slice, polarity;
  std::int64_t input, output;
  bool used;

  __device__ Cell(const ArrayGrid& grid, std::int64_t array, int cell) {
    polarity = static_cast<int>(array % grid.polarities);
    array /= grid.polarities;
    slice = static_cast<int>(array % grid.slices);
    array /= grid.slices;
    output = array % grid.col_tiles * grid.cols + cell % grid.cols;
    array /= grid.col_tiles;
    input = array % grid.row_tiles * grid.rows + cell / grid.cols;
    group = static_cast<int>(array / grid.row_tiles);
    used = input < grid.inputs && output < grid.outputs;
  }
};

__global__ void CutDigitsKernel(ArrayGrid grid, const std::int32_t* codes, std::int64_t first, std::int64_t count,
                                std::uint16_t* digits) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int cells = grid.rows * grid.cols;
  const Cell cell(grid, first + i / cells, static_cast<int>(i % cells));
  std::int32_t magnitude = 0;
  if (cell.used) {
    const std::int32_t code =
        codes[(cell.group * static_cast<std::int64_t>(grid.outputs) + cell.output) * grid.inputs + cell.input];
    magnitude = grid.offset ? code + (1 << (grid.weight_bits - 1)) : cell.polarity == 0 ? code : -code;
  }
  digits[i] = magnitude <= 0 ? 0 : magnitude >> (cell.slice * grid.cell_bits) & ((1 << grid.cell_bits) - 1);
}

__global__ void StoreLevelsKernel(ArrayGrid grid, const double* g, std::int64_t first, std::int64_t count, double g_off,
                                  double g_step, float* levels) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const int cells = grid.rows * grid.cols;
  const Cell cell(grid, first + i / cells, static_cast<int>(i % cells));
  if (!cell.used) return;
  const std::int64_t plane =
      (static_cast<std::int64_t>(cell.group) * grid.polarities + cell.polarity) * grid.slices + cell.slice;
  levels[(plane * grid.inputs + cell.input) * grid.outputs + cell.output] = static_cast<float>((g[i] - g_off) / g_step);
}

std::int64_t Cells(const ArrayGrid& grid, int arrays) {
  return static_cast<std::int64_t>(grid.rows) * grid.cols * arrays;
}

}  // namespace

void CutDigits(const ArrayGrid& grid, const std::int32_t* codes, std::int64_t first, int arrays,
               std::uint16_t* digits) {
  const std::int64_t count = Cells(grid, arrays);
  Launch(CutDigitsKernel, dim3(Blocks(count, kThreads)), kThreads, 0, grid, codes, first, count, digits);
}

void StoreLevels(const ArrayGrid& grid, const double* g, std::int64_t first, int arrays, double g_off, double g_step,
                 float* levels) {
  const std::int64_t count = Cells(grid, arrays);
  Launch(StoreLevelsKernel, dim3(Blocks(count, kThreads)), kThreads, 0, grid, g, first, count, g_off, g_step, levels);
}

}  // namespace rxnn::cuda
