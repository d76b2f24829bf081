// Multiplies blocks of input vectors where converters are ideal: all is linear, and streams, slices, signs and tiles
// fold into one matrix (CrossbarState::folded).
#pragma once

#include <cstdint>
#include <vector>

#include "crossbar/blocks.hpp"
#include "crossbar/state.hpp"

namespace rxnn {

// One per thread: it keeps buffers.
class FoldedReader {
 public:
  FoldedReader(const CrossbarState& state, const Batch& batch) : state_(state), batch_(batch) {}

  static BlockLimits Limits(const CrossbarState& state);
  static const std::vector<Panel>& Panels(const CrossbarState& state) { return state.folded_panels; }

  void Multiply(const Block& block, const SumSink& take);

 private:
  // The signed codes of the block's vectors on the rows of a chunk, to codes_.
  void LoadCodes(const Block& block, int chunk);

  const CrossbarState& state_;
  const Batch& batch_;
  std::vector<std::uint8_t> bytes_[2][2];  // [pass][byte]
  std::vector<float> codes_;               // [vector][row_stride_]
  std::int64_t row_stride_ = 0;
  std::vector<double> sums_;  // [panel][vector][panel.stride]
};

}  // namespace rxnn
