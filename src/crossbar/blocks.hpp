// How a batch is cut into pieces of work, and how their sums go out.
#pragma once

#include <cstdint>
#include <vector>

#include "crossbar/panels.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/input_vectors.hpp"

namespace rxnn {

// The input vectors of one product with the matrices of some groups, or packs of groups that share arrays.
struct Batch {
  const InputVectors& vectors;
  int first_group = 0;
  int groups = 1;
  std::uint64_t first_read = 0;  // numbers the vectors for read noise
};

// A piece of work: some vectors of a group on some neighbouring panels, through all row tiles.
struct Block {
  int group = 0;
  int first_vector = 0;
  int vectors = 0;
  int first_panel = 0;
  int last_panel = 0;  // one past the end
  bool has_negative = false;

  int passes() const { return has_negative ? 2 : 1; }
};

struct BlockLimits {
  std::int64_t digit_bytes = 0;       // that a block's digits may take, for the rows of one tile
  std::int64_t bytes_per_vector = 1;  // that they take
  int step = 1;                       // vectors that the kernels take together
  int efficient_vectors = 1;          // fewer make the kernels slow
  int most_vectors = 1;
  int most_panels = 1;
};

// Cuts a batch so that digits fit and all cores have work. Vectors of a block all have negative parts, or none has: a
// pass that a vector does not need would still put a converter's lowest code into its sums. How else it is cut has no
// influence on results: vectors and panels never meet.
std::vector<Block> CutBlocks(const Batch& batch, int num_panels, const BlockLimits& limits);

// Hands the sums of a block to `take`, panel by panel: fill(panel, vector, sums) writes panel.cols sums of one vector
// of the block.
template <typename Fill>
void EmitSums(const Block& block, const std::vector<Panel>& panels, const SumSink& take, std::vector<double>* buffer,
              const Fill& fill) {
  buffer->resize(static_cast<std::size_t>(block.vectors) * kPanelCols);
  for (int p = block.first_panel; p < block.last_panel; ++p) {
    for (int v = 0; v < block.vectors; ++v) fill(panels[p], v, buffer->data() + v * kPanelCols);
    take({block.group, block.first_vector, block.vectors, panels[p].first_col, panels[p].cols, buffer->data(),
          kPanelCols});
  }
}

}  // namespace rxnn
