#include "crossbar/folded_reader.hpp"

#include <algorithm>
#include <numeric>

#include "vmm/byte_reads.hpp"

namespace rxnn {

BlockLimits FoldedReader::Limits(const CrossbarState& state) {
  BlockLimits limits;
  limits.digit_bytes = 128 * 1024;
  limits.bytes_per_vector =
      static_cast<std::int64_t>(sizeof(float)) * std::min(state.folded_grid.rows, state.grid.inputs);
  limits.step = 24;
  limits.efficient_vectors = 48;
  limits.most_vectors = 192;
  limits.most_panels = 8;
  if (!state.folded_bytes.empty()) {
    limits.step = kByteUnit;
    limits.bytes_per_vector = (limits.bytes_per_vector / 4 + kByteRows - 1) / kByteRows * kByteRows;
    limits.efficient_vectors = 2 * kByteUnit;
    limits.most_vectors = 512;
  }
  return limits;
}

double* FoldedReader::PanelSums(const Block& block, const Panel& panel) {
  return sums_.data() + (panel.stored_before - state_.folded_panels[block.first_panel].stored_before) * block.vectors;
}

void FoldedReader::Multiply(const Block& block, const SumSink& take) {
  BlockTimer timer(&state_.times);
  const Panel* panels = state_.folded_panels.data();
  const Panel& last = panels[block.last_panel - 1];
  sums_.resize((last.stored_before + last.stride - panels[block.first_panel].stored_before) * block.vectors);
  for (int chunk = 0; chunk < state_.folded_grid.row_tiles; ++chunk) {
    if (state_.folded_bytes.empty()) {
      ReadChunk(block, chunk, &timer);
    } else {
      ReadChunkOnUnit(block, chunk, &timer);
    }
  }
  for (int p = block.first_panel; p < block.last_panel; ++p) {
    take({block.group, block.first_vector, block.vectors, panels[p].first_col, panels[p].cols,
          PanelSums(block, panels[p]), panels[p].stride});
  }
}

void FoldedReader::ReadChunk(const Block& block, int chunk, BlockTimer* timer) {
  LoadCodes(block, chunk);
  timer->Inputs();
  FoldedReads reads;
  reads.vectors = block.vectors;
  reads.rows = state_.folded_grid.used_rows(chunk);
  reads.codes = codes_.data();
  reads.row_stride = row_stride_;
  reads.add = chunk > 0;
  for (int p = block.first_panel; p < block.last_panel; ++p) {
    const Panel& panel = state_.folded_panels[p];
    reads.cols = panel.stride;
    reads.levels = state_.folded.panel(block.group, chunk, reads.rows, panel);
    reads.sums = PanelSums(block, panel);
    ReadFolded(reads);
  }
  timer->Reads();
}

void FoldedReader::ReadChunkOnUnit(const Block& block, int chunk, BlockTimer* timer) {
  CodeCut cut;
  cut.rows = state_.folded_grid.used_rows(chunk);
  cut.vectors = block.vectors;
  cut.streams = 1;
  cut.dac_bits = 8;
  order_.resize(block.vectors);
  std::iota(order_.begin(), order_.end(), 0);
  std::vector<ByteUnit> units;
  const std::int32_t first[] = {0, 0, block.vectors};
  MakeUnits(first, 1, &units);
  const PanelBytes& bytes = state_.folded_bytes;
  FoldedByteReads reads;
  reads.rows = cut.rows;
  reads.vectors = block.vectors;
  reads.cut = bytes.cut;
  for (int pass = 0; pass < block.passes(); ++pass) {
    const InputVectors::Rows rows = batch_.vectors.Load(
        {block.group, block.first_vector, block.vectors, state_.folded_grid.first_row(chunk), cut.rows, pass, 0},
        &bytes_[pass][0]);
    cut.low = rows.data;
    cut.stride = rows.stride;
    std::uint8_t* codes = byte_codes_.Reserve(bytes.cut.unit_bytes(cut.rows) * units.size());
    CutByteDigits(cut, 1, order_.data(), units.data(), static_cast<int>(units.size()), codes);
    timer->Inputs();
    reads.codes = codes;
    reads.negative = pass == 1;
    reads.add = chunk > 0 || pass == 1;
    for (int p = block.first_panel; p < block.last_panel; ++p) {
      const Panel& panel = state_.folded_panels[p];
      reads.cols = panel.stride;
      reads.bytes = bytes.panel(block.group, chunk, cut.rows, panel);
      reads.sums = PanelSums(block, panel);
      ReadFoldedBytes(reads);
    }
    timer->Reads();
  }
}

void FoldedReader::LoadCodes(const Block& block, int chunk) {
  CodeBytes bytes;
  bytes.rows = state_.folded_grid.used_rows(chunk);
  bytes.vectors = block.vectors;
  for (int pass = 0; pass < block.passes(); ++pass) {
    for (int byte = 0; byte < (state_.hardware.input_bits > 8 ? 2 : 1); ++byte) {
      const InputVectors::Rows rows = batch_.vectors.Load(
          {block.group, block.first_vector, block.vectors, state_.folded_grid.first_row(chunk), bytes.rows, pass, byte},
          &bytes_[pass][byte]);
      (byte == 0 ? bytes.low : bytes.high)[pass] = rows.data;
      bytes.stride = rows.stride;
    }
  }
  row_stride_ = (bytes.rows + kFoldedPad - 1) / kFoldedPad * kFoldedPad;
  codes_.resize(static_cast<std::size_t>(row_stride_) * block.vectors);
  JoinCodes(bytes, row_stride_, codes_.data());
}

}  // namespace rxnn
