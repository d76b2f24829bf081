// Multiplies blocks of input vectors where converters are ideal: all is linear, and streams, slices, signs and tiles
// fold into one matrix (CrossbarState::folded).
#pragma once

#include <cstdint>
#include <vector>

#include "crossbar/blocks.hpp"
#include "crossbar/state.hpp"
#include "vmm/folded.hpp"

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
  // Reads all panels of the block with codes_, or by products of bytes.
  void ReadChunk(const Block& block, int chunk, BlockTimer* timer);
  void ReadChunkOnUnit(const Block& block, int chunk, BlockTimer* timer);
  double* PanelSums(const Block& block, const Panel& panel);

  const CrossbarState& state_;
  const Batch& batch_;
  std::vector<std::uint8_t> bytes_[2][2];  // [pass][byte]
  std::vector<float> codes_;               // [vector][row_stride_]
  std::int64_t row_stride_ = 0;
  std::vector<std::int32_t> order_;  // of vectors: as they come
  AlignedRoom<std::uint8_t> byte_codes_;
  std::vector<double> sums_;  // [panel][vector][panel.stride]
};

}  // namespace rxnn
