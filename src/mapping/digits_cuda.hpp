// Between a layer's weight codes, its arrays and its levels, on a GPU. Plain C++; pointers are to the memory of the
// device.
#pragma once

#include <cstdint>

#include "rxnn/hardware.hpp"

namespace rxnn::cuda {

// How a layer is cut into arrays, which are numbered as CrossbarMatrix::ArrayNumber has it.
struct ArrayGrid {
  int groups = 0, inputs = 0, outputs = 0;
  int rows = 0, cols = 0;
  int row_tiles = 0, col_tiles = 0;
  int slices = 0, polarities = 0;
  int weight_bits = 0, cell_bits = 0;
  bool offset = false;  // SignedWeights::kOffset
};

// digits[array][rows][cols] of `arrays` arrays from number `first` on; cells that a tile does not use are at 0.
// `codes`: (groups * outputs) x inputs, of QuantizeWeights.
void CutDigits(const ArrayGrid& grid, const std::int32_t* codes, std::int64_t first, int arrays, std::uint16_t* digits);

// levels[groups][polarities][slices][inputs][outputs] = (g - g_off) / g_step of the cells in use of these arrays.
void StoreLevels(const ArrayGrid& grid, const double* g, std::int64_t first, int arrays, double g_off, double g_step,
                 float* levels);

}  // namespace rxnn::cuda
