// From a weight matrix to arrays: weight codes, bit slices, tiles; from inputs to codes.
#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "rxnn/hardware.hpp"

namespace rxnn {

// Signed integers for a weight matrix and the scales that turn them back.
struct WeightCodes {
  std::vector<std::int32_t> codes;  // same layout as the weights
  std::vector<float> scales;  // s_w per output: largest |W| of the layer, or of the output; 0 where all weights are 0
};

// W_q = round_half_to_even(W / s_w * (2^(weight_bits-1) - 1)). `weights` holds `outputs` rows of `inputs` values,
// Caffe's layout of Convolution (C_out, C_in/group * kh * kw) and InnerProduct. Throws std::invalid_argument for a
// weight that is not finite.
WeightCodes QuantizeWeights(const Hardware& hardware, const float* weights, int outputs, int inputs);

// Digit of weight code `code` in `slice` (0 is least significant) of `polarity` (0 positive or OFFSET, 1 negative).
// DIFFERENTIAL: the magnitude's digit in the array of its sign, 0 in the other. OFFSET: digit of code +
// 2^(weight_bits-1).
int WeightDigit(const Hardware& hardware, std::int32_t code, int slice, int polarity);

// Where a K x N matrix sits: pieces of `rows` word lines and `cols` bit lines.
struct TileGrid {
  int inputs = 0;     // K
  int outputs = 0;    // N
  int rows = 0;       // of one array
  int cols = 0;       // of one array
  int row_tiles = 0;  // ceil(K / rows)
  int col_tiles = 0;  // ceil(N / cols)

  TileGrid(const Hardware& hardware, int inputs, int outputs);
  int first_row(int row_tile) const { return row_tile * rows; }
  int first_col(int col_tile) const { return col_tile * cols; }
  int used_rows(int row_tile) const { return std::min(rows, inputs - first_row(row_tile)); }
  int used_cols(int col_tile) const { return std::min(cols, outputs - first_col(col_tile)); }
};

// Which of a convolution's groups share arrays (group_packing). A pack is some neighbouring groups, their K x N
// matrices down the diagonal of one larger matrix: every group has rows and columns of its own, and what is beside the
// blocks are unused cells. Where groups are separate, or no two of them fit on one array, a pack is one group.
struct GroupPacks {
  int groups = 0;
  int inputs = 0;    // K, of one group
  int outputs = 0;   // N, of one group
  int together = 1;  // groups in a pack; the last pack may have fewer
  int count = 0;     // packs: as few as there can be, all but the last of the same size

  GroupPacks(const Hardware& hardware, int groups, int inputs, int outputs);
  bool shared() const { return together > 1; }
  // Of one pack's matrix. Where the last pack has fewer groups, the rows and columns of those that it lacks are unused.
  int pack_inputs() const { return together * inputs; }
  int pack_outputs() const { return together * outputs; }
  int first_group(int pack) const { return pack * together; }
  int groups_in(int pack) const { return std::min(together, groups - first_group(pack)); }
  // Whether a cell of a pack's matrix belongs to a group; otherwise it is unused.
  bool holds_weight(int row, int col) const { return row / inputs == col / outputs; }
};

// Input codes of one image.
struct InputScale {
  float range = 0;            // the largest magnitude a code stands for; 0: all inputs were 0
  bool has_negative = false;  // the negative parts need a pass of their own
};

// x_q = clamp(round_half_to_even(x / range * (2^input_bits - 1))), signed; 0 where the range is 0.
std::int32_t InputCode(const Hardware& hardware, float input, float range);

// The codes of an image: range = hardware.input_range, or the largest |x| when that is 0. Throws std::invalid_argument
// for an input that is not finite.
InputScale QuantizeInputs(const Hardware& hardware, const float* inputs, std::int64_t count, std::int32_t* codes);

}  // namespace rxnn
