#include "crossbar/code_block_reader.hpp"

#include <omp.h>

#include <algorithm>
#include <cmath>

#include "vmm/kernel_choice.hpp"

namespace rxnn {
namespace {

// Fewer reads of one panel than this do not repay its tables.
constexpr int kFewestTableReads = 24;

int Passes(const Batch& batch) { return batch.has_negative ? 2 : 1; }

// Whether 32 bits hold the sums of every matrix, stream and pass of `row_tiles` tiles.
bool Fits(const CrossbarState& state, const Batch& batch, int row_tiles) {
  const Hardware& hardware = state.hardware;
  const CodeReadout& readout = *state.code_readout;
  double weight = 0;  // of slices times streams
  for (int slice = 0; slice < state.scheme.slices; ++slice) {
    for (int stream = 0; stream < state.scheme.streams; ++stream) {
      weight += std::ldexp(1.0, slice * hardware.cell_bits + stream * hardware.dac_bits);
    }
  }
  // One half of all is added, the other subtracted, where there are twins or two passes.
  const int parts = Passes(batch) * state.scheme.matrices() / state.scheme.slices;
  const double largest =
      parts > 1 ? parts / 2 * (readout.most - readout.least) : std::max(readout.most, -readout.least);
  return largest * weight * row_tiles < 2147483648.0;
}

}  // namespace

std::vector<Block> CutCodeBlocks(const CrossbarState& state, const Batch& batch) {
  constexpr int kStep = 24;
  constexpr int kMostVectors = 192;
  constexpr int kMostPanels = 16;
  constexpr std::int64_t kDigitBytes = 512 * 1024;

  // A word of one-bit digits takes as much room as its offsets, a digit of the blocked kernel a float.
  const std::int64_t rows = std::min(state.grid.rows, state.grid.inputs);
  const std::int64_t chunks = (rows + kChunkRows - 1) / kChunkRows;
  const std::int64_t bytes_per_read = state.hardware.dac_bits == 1 ? chunks * kChunkOffsets * 2 : rows * 4;
  const int fitting = static_cast<int>(kDigitBytes / (bytes_per_read * state.scheme.streams)) / kStep * kStep;
  int vectors = std::clamp(fitting, kStep, kMostVectors);
  const int num_panels = static_cast<int>(state.panels.size());
  int panels = std::min(kMostPanels, num_panels);

  const int threads = omp_in_parallel() ? 1 : omp_get_max_threads();
  const auto pieces = [&] {
    return static_cast<std::int64_t>((batch.count + vectors - 1) / vectors) * ((num_panels + panels - 1) / panels);
  };
  const std::int64_t wanted = threads > 1 ? 3 * threads : 1;
  while (pieces() < wanted && panels > 1) panels = (panels + 1) / 2;
  while (pieces() < wanted && vectors > kStep) vectors = (vectors / 2 + kStep - 1) / kStep * kStep;

  std::vector<Block> blocks;
  for (int v = 0; v < batch.count; v += vectors) {
    for (int p = 0; p < num_panels; p += panels) {
      blocks.push_back({v, std::min(vectors, batch.count - v), p, std::min(p + panels, num_panels)});
    }
  }
  return blocks;
}

template <typename Code>
CodeBlockReader<Code>::CodeBlockReader(const CrossbarState& state, const Batch& batch)
    : state_(state),
      batch_(batch),
      readout_(*state.code_readout),
      keeps_integers_(Fits(state, batch, state.grid.row_tiles)) {}

template <typename Code>
void CodeBlockReader<Code>::Multiply(const Block& block, double* sums) {
  const Panel* panels = state_.panels.data();
  const std::size_t first_stored = panels[block.first_panel].stored_before;
  const Panel& last = panels[block.last_panel - 1];
  const auto at = [&](const Panel& panel) { return (panel.stored_before - first_stored) * block.vectors; };

  const bool pays = ChosenKernel() == Kernel::kTable || block.vectors * state_.scheme.streams >= kFewestTableReads;
  tables_ = state_.hardware.dac_bits == 1 && pays && ChosenKernel() != Kernel::kMultiply;
  sums_.assign((last.stored_before + last.stride - first_stored) * block.vectors, 0);
  wide_sums_.assign(keeps_integers_ ? 0 : sums_.size(), 0.0);
  code_sums_.assign(block.vectors, 0);
  for (int row_tile = 0; row_tile < state_.grid.row_tiles; ++row_tile) {
    for (int pass = 0; pass < Passes(batch_); ++pass) {
      LoadDigits(block, row_tile, pass);
      for (int p = block.first_panel; p < block.last_panel; ++p) {
        ReadPanel(block, row_tile, pass, panels[p], sums_.data() + at(panels[p]));
      }
    }
    if (!keeps_integers_) Widen();
  }

  // n unit - share summed over reads: shares of twins cancel, those of single arrays are in proportion to the codes, as
  // is what OFFSET adds to every weight.
  const Hardware& hardware = state_.hardware;
  double per_code = 0;
  if (state_.scheme.polarities == 1) {
    per_code = std::ldexp(1.0, hardware.weight_bits - 1);
    if (!readout_.whole_levels) {
      for (int slice = 0; slice < state_.scheme.slices; ++slice) {
        per_code += std::ldexp(state_.off_level, slice * hardware.cell_bits);
      }
    }
  }
  for (int v = 0; v < block.vectors; ++v) {
    const double constant = per_code * static_cast<double>(code_sums_[v]);
    double* row = sums + static_cast<std::int64_t>(block.first_vector + v) * state_.grid.outputs;
    for (int p = block.first_panel; p < block.last_panel; ++p) {
      const Panel& panel = panels[p];
      const std::size_t from = at(panel) + static_cast<std::size_t>(v) * panel.stride;
      for (int j = 0; j < panel.cols; ++j) {
        const double total = keeps_integers_ ? sums_[from + j] : wide_sums_[from + j];
        row[panel.first_col + j] = total * readout_.unit - constant;
      }
    }
  }
}

template <typename Code>
void CodeBlockReader<Code>::LoadDigits(const Block& block, int row_tile, int pass) {
  const CodeCut<Code> cut = LoadCodes(block, row_tile, pass);
  const int streams = cut.streams;
  digit_sums_.resize(static_cast<std::size_t>(block.vectors) * streams);
  shares_.resize(digit_sums_.size());
  if (tables_) {
    CutForTables(cut);
  } else {
    CutForProducts(cut);
  }
  for (int v = 0; v < block.vectors; ++v) {
    const int vector = tables_ ? order_[v] : v;
    const std::int32_t* digit_sums = digit_sums_.data() + static_cast<std::size_t>(vector) * streams;
    std::int64_t code_sum = 0;
    for (int s = 0; s < streams; ++s) {
      code_sum += static_cast<std::int64_t>(digit_sums[s]) << (s * cut.dac_bits);
      shares_[static_cast<std::size_t>(v) * streams + s] =
          state_.code_shares[state_.code_shares.size() == 1 ? 0 : digit_sums[s]];
    }
    code_sums_[vector] += pass == 0 ? code_sum : -code_sum;
  }
}

template <typename Code>
CodeCut<Code> CodeBlockReader<Code>::LoadCodes(const Block& block, int row_tile, int pass) {
  CodeCut<Code> cut;
  cut.rows = state_.grid.used_rows(row_tile);
  cut.vectors = block.vectors;
  cut.streams = state_.scheme.streams;
  cut.dac_bits = state_.hardware.dac_bits;
  cut.code_stride = (cut.rows + kChunkRows - 1) / kChunkRows * kChunkRows;
  codes_.resize(static_cast<std::size_t>(cut.code_stride) * block.vectors);
  cut.codes = codes_.data();
  const std::int32_t* from = batch_.codes + static_cast<std::int64_t>(block.first_vector) * state_.grid.inputs +
                             state_.grid.first_row(row_tile);
  for (int v = 0; v < block.vectors; ++v, from += state_.grid.inputs) {
    Code* to = codes_.data() + static_cast<std::size_t>(v) * cut.code_stride;
    for (int i = 0; i < cut.rows; ++i) to[i] = static_cast<Code>(std::max(pass == 0 ? from[i] : -from[i], 0));
  }
  return cut;
}

template <typename Code>
void CodeBlockReader<Code>::CutForTables(const CodeCut<Code>& cut) {
  const int chunks = (cut.rows + kChunkRows - 1) / kChunkRows;
  words_.resize(digit_sums_.size() * chunks);
  CutBits(cut, words_.data(), digit_sums_.data());
  order_.resize(cut.vectors);
  first_.resize(cut.streams + 2);
  // A read of no digits adds nothing where no current has code 0.
  const bool skip_zeros = readout_.low <= CodeReadout::kMagic && CodeReadout::kMagic <= readout_.high;
  OrderVectors(digit_sums_.data(), cut.vectors, cut.streams, skip_zeros, order_.data(), first_.data());
  offsets_.resize(words_.size() * kChunkOffsets);
  TableOffsets(words_.data(), order_.data(), cut.vectors, cut.streams, chunks, offsets_.data());
  const std::size_t scratch = kTableFloats + (chunks > 1 ? digit_sums_.size() * kTableCols : 0);
  if (scratch > scratch_size_) {
    scratch_ = hwy::AllocateAligned<float>(scratch);
    if (!scratch_) throw std::bad_alloc();
    scratch_size_ = scratch;
  }
}

template <typename Code>
void CodeBlockReader<Code>::CutForProducts(const CodeCut<Code>& cut) {
  row_stride_ = (cut.rows + kDigitPad - 1) / kDigitPad * kDigitPad;
  digits_.resize(digit_sums_.size() * row_stride_);
  CutDigits(cut, row_stride_, digits_.data(), digit_sums_.data());
}

template <typename Code>
void CodeBlockReader<Code>::ReadPanel(const Block& block, int row_tile, int pass, const Panel& panel,
                                      std::int32_t* sums) {
  const PanelStore<float>& store = state_.narrow.matrices.empty() ? state_.levels : state_.narrow.matrices;
  CodeReads reads;
  reads.rows = state_.grid.used_rows(row_tile);
  reads.cols = panel.stride;
  reads.vectors = block.vectors;
  reads.streams = state_.scheme.streams;
  reads.dac_bits = state_.hardware.dac_bits;
  reads.readout = readout_;
  reads.sums = sums;
  for (int matrix = 0; matrix < state_.scheme.matrices(); ++matrix) {
    reads.levels = store.matrix(batch_.group, row_tile, reads.rows, panel, matrix);
    reads.shift = state_.scheme.slice(matrix) * state_.hardware.cell_bits;
    reads.negative = (state_.scheme.polarity(matrix) == 1) != (pass == 1);
    if (tables_) {
      ReadTables(reads, {offsets_.data(), shares_.data(), order_.data(), first_.data()}, scratch_.get());
    } else {
      ReadCodes(reads, {digits_.data(), row_stride_, shares_.data()});
    }
  }
}

template <typename Code>
void CodeBlockReader<Code>::Widen() {
  for (std::size_t i = 0; i < sums_.size(); ++i) wide_sums_[i] += sums_[i];
  std::fill(sums_.begin(), sums_.end(), 0);
}

template class CodeBlockReader<std::uint8_t>;
template class CodeBlockReader<std::uint16_t>;

}  // namespace rxnn
