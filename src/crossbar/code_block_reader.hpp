// Reads blocks of input vectors where the converters' results are summed as whole numbers
// (CrossbarState::code_readout).
#pragma once

#include <cstdint>
#include <vector>

#include "crossbar/blocks.hpp"
#include "crossbar/state.hpp"
#include "vmm/byte_reads.hpp"
#include "vmm/code_reads.hpp"

namespace rxnn {

// Whether 32 bits hold the sums of every matrix, stream and pass of `row_tiles` tiles.
bool SumsFit(const CrossbarState& state, int passes, int row_tiles);

// Whether digits are read by products of bytes; those of one bit from tables where these are faster.
bool ReadsBytes(const CrossbarState& state);

// One per thread: it keeps buffers.
class CodeBlockReader {
 public:
  CodeBlockReader(const CrossbarState& state, const Batch& batch);

  static BlockLimits Limits(const CrossbarState& state);
  static const std::vector<Panel>& Panels(const CrossbarState& state) { return state.panels; }

  void Multiply(const Block& block, const SumSink& take);

 private:
  // Cuts the digits that the block's vectors put on the rows of a tile in one pass (0: positive parts, 1: magnitudes of
  // the negative ones).
  void LoadDigits(const Block& block, int row_tile, int pass);
  CodeCut LoadCodes(const Block& block, int row_tile, int pass);
  // Sorts vectors by the streams that they need read.
  void Order(const CodeCut& cut);
  // Digits of the tables, of the blocked kernel, or of products of bytes; those of one bit that could be either, of
  // whichever is faster for them.
  void CutForTables(const CodeCut& cut);
  void CutForProducts(const CodeCut& cut);
  void CutForBytes(const CodeCut& cut);
  void CutOrderedBytes(const CodeCut& cut);
  // Reads all matrices of the block's panels in a row tile and adds to sums_.
  void ReadPanels(const Block& block, int row_tile, int pass);
  // Whether the kernels take copies of the levels of the block's panels, made for several panels at once.
  bool CopiesStripes(const Block& block) const;
  // Whether they take differences of twins that are there for good.
  bool HasTwins() const { return by_bytes_ ? !state_.twin_bytes.empty() : !state_.twins.empty(); }
  // Copies the levels of one matrix in panels_[first] to panels_[last - 1].
  void CopyLevels(int group, int row_tile, int matrix, std::size_t first, std::size_t last);
  // Reads one matrix of a panel and adds to `sums` [vectors][panel.stride]; copy: its levels, or null.
  void ReadMatrix(const Block& block, int row_tile, int pass, const Panel& panel, int matrix, const float* copy,
                  std::int32_t* sums);
  // Adds what sums_ hold to wide_sums_ and clears them.
  void Widen();

  const CrossbarState& state_;
  const Batch& batch_;
  const CodeReadout& readout_;
  const bool needs_digit_sums_;         // to leave streams out, for shares of g_off, or for what OFFSET adds
  bool keeps_integers_ = false;         // 32 bits hold the sums over all row tiles
  bool by_bytes_ = false;               // the digits are read by products of bytes
  bool tables_ = false;                 // they have one bit and are read from tables
  std::vector<std::uint8_t> bytes_[2];  // of codes
  std::vector<std::uint64_t> words_;
  std::vector<std::int32_t> digit_sums_;  // [vector][stream]
  std::vector<std::int64_t> code_sums_;   // [vector], over the rows so far
  std::vector<std::int32_t> order_, first_;
  std::vector<ByteUnit> units_;
  AlignedRoom<std::uint8_t> byte_digits_;
  AlignedRoom<std::int8_t> level_bytes_;  // of one matrix of one panel
  std::vector<std::uint16_t> offsets_;
  std::vector<float> digits_;
  std::int64_t row_stride_ = 0;
  std::vector<CodeReadout::Shares> shares_;
  AlignedRoom<float> scratch_;
  std::vector<Panel> panels_;       // of the block, those that have columns
  AlignedRoom<float> levels_;       // of one matrix, [panel][rows][panel.stride]
  std::vector<std::int32_t> sums_;  // [panel][vector][panel.stride]
  std::vector<double> wide_sums_;   // the same, unless keeps_integers_
  std::vector<double> emitted_;
  ConversionCounts counts_;  // of the block
};

}  // namespace rxnn
