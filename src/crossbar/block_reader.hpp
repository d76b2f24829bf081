// Reads blocks of input vectors on panels of arrays: the order of work of a multiplication.
#pragma once

#include <cstdint>
#include <vector>

#include "crossbar/state.hpp"

namespace rxnn {

// A piece of work: some vectors of a batch on some neighbouring panels, through all row tiles.
struct Block {
  int first_vector = 0;
  int vectors = 0;
  int first_panel = 0;
  int last_panel = 0;  // one past the end
};

// Cuts a batch so that the digits of a block stay in a second-level cache and all cores have work. How it is cut has
// no influence on results: vectors and panels never meet.
std::vector<Block> CutBlocks(const CrossbarState& state, const Batch& batch);

// One per thread: it keeps buffers.
template <typename T>
class BlockReader {
 public:
  BlockReader(const CrossbarState& state, const Batch& batch, const Readout& readout);

  // Writes the block's part of sums [batch.count][outputs].
  void Multiply(const Block& block, double* sums);

  // Smallest and largest current at the converters.
  CurrentRange Observe(const Block& block);

 private:
  // Cuts the digits that the vectors of a block put on the rows of a tile.
  void LoadDigits(const Block& block, int row_tile);
  // What the kernels multiply with, for one panel.
  const T* PanelMatrices(int row_tile, const Panel& panel) const;
  // The reads of one panel, to be summed to `sums` [vectors][panel.stride].
  PanelReads<T> Reads(const Block& block, int row_tile, const Panel& panel, double* sums) const;
  // Currents of one read of one matrix, without the share of g_off, to currents_.
  void ReadCurrents(const PanelReads<T>& reads, int matrix, int read);
  // ReadPanel with read noise on every array.
  void ReadNoisyPanel(const Block& block, int row_tile, const Panel& panel, const PanelReads<T>& reads);
  void AddNoise(const Block& block, int row_tile, const Panel& panel, int matrix, int polarity, int read, double sign);
  // What OFFSET adds to every column of a vector, to be subtracted.
  double OffsetSum(int vector) const;

  const CrossbarState& state_;
  const Batch& batch_;
  const Readout readout_;
  const int reads_;               // streams, of one sign or two
  std::vector<double> weights_;   // [matrix][read], a power of two with its sign
  std::vector<T> digits_;         // [read][vector][row]
  std::vector<T> digit_squares_;  // of the same, for read noise
  std::vector<double> shares_;    // [read][vector], current of g_off
  std::vector<double> sums_;      // [panel][vector][panel.stride]
  std::vector<double> currents_;  // [vector][panel.stride]
  std::vector<double> variances_;
};

}  // namespace rxnn
