#include "crossbar/folded_reader.hpp"

#include <algorithm>

#include "vmm/folded.hpp"

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
  return limits;
}

void FoldedReader::Multiply(const Block& block, const SumSink& take) {
  BlockTimer timer(&state_.times);
  const Panel* panels = state_.folded_panels.data();
  const std::size_t first_stored = panels[block.first_panel].stored_before;
  const Panel& last = panels[block.last_panel - 1];
  const auto panel_sums = [&](const Panel& panel) {
    return sums_.data() + (panel.stored_before - first_stored) * block.vectors;
  };
  sums_.resize((last.stored_before + last.stride - first_stored) * block.vectors);
  FoldedReads reads;
  reads.vectors = block.vectors;
  for (int chunk = 0; chunk < state_.folded_grid.row_tiles; ++chunk) {
    LoadCodes(block, chunk);
    timer.Inputs();
    reads.rows = state_.folded_grid.used_rows(chunk);
    reads.codes = codes_.data();
    reads.row_stride = row_stride_;
    reads.add = chunk > 0;
    for (int p = block.first_panel; p < block.last_panel; ++p) {
      reads.cols = panels[p].stride;
      reads.levels = state_.folded.panel(block.group, chunk, reads.rows, panels[p]);
      reads.sums = panel_sums(panels[p]);
      ReadFolded(reads);
    }
    timer.Reads();
  }
  for (int p = block.first_panel; p < block.last_panel; ++p) {
    take({block.group, block.first_vector, block.vectors, panels[p].first_col, panels[p].cols, panel_sums(panels[p]),
          panels[p].stride});
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
