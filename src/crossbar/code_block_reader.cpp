#include "crossbar/code_block_reader.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "crossbar/panel_levels.hpp"
#include "vmm/byte_products.hpp"
#include "vmm/kernel_choice.hpp"

namespace rxnn {
namespace {

// Fewer reads of one panel than this do not repay its tables.
constexpr int kFewestTableReads = 24;

// Where no more groups of four rows than this have a one, of the 16 of a chunk, tables are faster than the matrix unit,
// whose time does not depend on digits. Both give the same codes.
constexpr double kMostTableGroups = 10;

// Rows of levels of so many outputs are a page apart. What a panel has of each is too short for the processor to fetch
// the next one in time, and maps to few places of a cache; where few vectors are read with a panel, that is most of the
// time. The rows of all panels of a block are then copied first, at the rate of the memory.
constexpr int kFarOutputs = 1024;
constexpr int kFewVectors = 64;

}  // namespace

bool ReadsBytes(const CrossbarState& state) {
  // Vectors of bytes are slower than tables for digits of one bit.
  const ByteProducts least = state.hardware.dac_bits == 1 ? ByteProducts::kTiles : ByteProducts::kVectors;
  return state.level_bytes && ChosenKernel() == Kernel::kFastest && BestByteProducts() >= least;
}

bool SumsFit(const CrossbarState& state, int passes, int row_tiles) {
  const Hardware& hardware = state.hardware;
  const CodeReadout& readout = *state.code_readout;
  double weight = 0;  // of slices times streams
  for (int slice = 0; slice < state.scheme.slices; ++slice) {
    for (int stream = 0; stream < state.scheme.streams; ++stream) {
      weight += std::ldexp(1.0, slice * hardware.cell_bits + stream * hardware.dac_bits);
    }
  }
  // One half of all is added, the other subtracted, where there are twins or two passes.
  const int parts = passes * state.scheme.matrices() / state.scheme.slices;
  const double largest =
      parts > 1 ? parts / 2 * (readout.most - readout.least) : std::max(readout.most, -readout.least);
  return largest * weight * row_tiles < 2147483648.0;
}

BlockLimits CodeBlockReader::Limits(const CrossbarState& state) {
  const std::int64_t rows = std::min(state.grid.rows, state.grid.inputs);
  const std::int64_t chunks = (rows + kChunkRows - 1) / kChunkRows;
  BlockLimits limits;
  limits.digit_bytes = 512 * 1024;
  // The offsets of one-bit digits, or a float for every digit; or bytes.
  limits.bytes_per_vector =
      state.scheme.streams * (state.hardware.dac_bits == 1 ? chunks * kChunkOffsets * 2 : rows * 4);
  if (ReadsBytes(state)) {
    limits.bytes_per_vector = state.scheme.streams * chunks * kByteRows * state.level_bytes->copies();
    limits.step = 64 / std::gcd(state.scheme.streams, 64);
    limits.efficient_vectors = 1024 / state.scheme.streams / limits.step * limits.step;
    limits.most_vectors = 512;
    limits.most_panels = 8;
    return limits;
  }
  limits.step = 24;
  limits.efficient_vectors = 96;  // that make what is prepared for a panel cheap
  limits.most_vectors = 528;
  limits.most_panels = 8;
  return limits;
}

CodeBlockReader::CodeBlockReader(const CrossbarState& state, const Batch& batch)
    : state_(state),
      batch_(batch),
      readout_(*state.code_readout),
      needs_digit_sums_(state.scheme.streams > 1 || state.scheme.polarities == 1 || state.code_shares.size() > 1) {}

void CodeBlockReader::Multiply(const Block& block, const SumSink& take) {
  BlockTimer timer(&state_.times);
  const Panel* panels = state_.panels.data();
  const std::size_t first_stored = panels[block.first_panel].stored_before;
  const Panel& last = panels[block.last_panel - 1];
  const auto at = [&](const Panel& panel) { return (panel.stored_before - first_stored) * block.vectors; };

  keeps_integers_ = SumsFit(state_, block.passes(), state_.grid.row_tiles);
  sums_.assign((last.stored_before + last.stride - first_stored) * block.vectors, 0);
  wide_sums_.assign(keeps_integers_ ? 0 : sums_.size(), 0.0);
  code_sums_.assign(block.vectors, 0);
  for (int row_tile = 0; row_tile < state_.grid.row_tiles; ++row_tile) {
    for (int pass = 0; pass < block.passes(); ++pass) {
      LoadDigits(block, row_tile, pass);
      timer.Inputs();
      ReadPanels(block, row_tile, pass);
      timer.Reads();
    }
    if (!keeps_integers_) Widen();
  }

  state_.counts.Add(counts_);
  counts_ = ConversionCounts();

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
  EmitSums(block, state_.panels, take, &emitted_, [&](const Panel& panel, int v, double* sums) {
    const double constant = per_code * static_cast<double>(code_sums_[v]);
    const std::size_t from = at(panel) + static_cast<std::size_t>(v) * panel.stride;
    if (keeps_integers_) {
      ScaleSums(sums_.data() + from, panel.stride, readout_.unit, constant, sums);
    } else {
      for (int j = 0; j < panel.cols; ++j) sums[j] = wide_sums_[from + j] * readout_.unit - constant;
    }
  });
}

void CodeBlockReader::LoadDigits(const Block& block, int row_tile, int pass) {
  const CodeCut cut = LoadCodes(block, row_tile, pass);
  const int streams = cut.streams;
  by_bytes_ = ReadsBytes(state_);
  const bool pays = ChosenKernel() == Kernel::kTable || block.vectors * streams >= kFewestTableReads;
  tables_ = pays && cut.dac_bits == 1 && ChosenKernel() != Kernel::kMultiply;
  digit_sums_.resize(static_cast<std::size_t>(block.vectors) * streams);
  shares_.resize(digit_sums_.size());
  if (tables_) {
    CutForTables(cut);
  } else if (by_bytes_) {
    CutForBytes(cut);
  } else {
    CutForProducts(cut);
  }
  if (!needs_digit_sums_) {
    std::fill(shares_.begin(), shares_.end(), state_.code_shares[0]);
    return;
  }
  for (int v = 0; v < block.vectors; ++v) {
    const int vector = tables_ || by_bytes_ ? order_[v] : v;
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

CodeCut CodeBlockReader::LoadCodes(const Block& block, int row_tile, int pass) {
  CodeCut cut;
  cut.rows = state_.used_rows(block.group, row_tile);
  cut.vectors = block.vectors;
  cut.streams = state_.scheme.streams;
  cut.dac_bits = state_.hardware.dac_bits;
  InputVectors::Piece piece{
      block.group, block.first_vector, block.vectors, state_.grid.first_row(row_tile), cut.rows, pass, 0};
  const InputVectors::Rows low = batch_.vectors.Load(piece, &bytes_[0]);
  cut.low = low.data;
  cut.stride = low.stride;
  if (state_.hardware.input_bits > 8) {
    piece.byte = 1;
    cut.high = batch_.vectors.Load(piece, &bytes_[1]).data;
  }
  return cut;
}

void CodeBlockReader::Order(const CodeCut& cut) {
  order_.resize(cut.vectors);
  first_.resize(cut.streams + 2);
  // A read of no digits adds nothing where no current has code 0.
  const bool skip_zeros = readout_.low <= CodeReadout::kMagic && CodeReadout::kMagic <= readout_.high;
  OrderVectors(digit_sums_.data(), cut.vectors, cut.streams, skip_zeros, order_.data(), first_.data());
}

void CodeBlockReader::CutForTables(const CodeCut& cut) {
  const int chunks = (cut.rows + kChunkRows - 1) / kChunkRows;
  words_.resize(digit_sums_.size() * chunks);
  CutBits(cut, words_.data(), digit_sums_.data());
  Order(cut);
  if (by_bytes_) {
    by_bytes_ = GroupsPerRead(words_.data(), order_.data(), first_.data(), cut.streams, chunks) > kMostTableGroups;
    tables_ = !by_bytes_;
    if (by_bytes_) return CutOrderedBytes(cut);
  }
  offsets_.resize(words_.size() * kChunkOffsets);
  TableOffsets(words_.data(), order_.data(), cut.vectors, cut.streams, chunks, offsets_.data());
  const std::size_t scratch = kTableFloats + (chunks > 1 ? digit_sums_.size() * kTableCols : 0);
  scratch_.Reserve(scratch);
}

void CodeBlockReader::CutForBytes(const CodeCut& cut) {
  if (needs_digit_sums_) {
    SumByteDigits(cut, digit_sums_.data());
    Order(cut);
  } else {
    order_.resize(cut.vectors);
    std::iota(order_.begin(), order_.end(), 0);
    first_ = {0, 0, cut.vectors};
  }
  CutOrderedBytes(cut);
}

void CodeBlockReader::CutOrderedBytes(const CodeCut& cut) {
  MakeUnits(first_.data(), cut.streams, &units_);
  const int count = static_cast<int>(units_.size());
  const LevelBytes& bytes = *state_.level_bytes;
  CutByteDigits(cut, bytes.copies(), order_.data(), units_.data(), count,
                byte_digits_.Reserve(std::max<std::size_t>(1, bytes.unit_bytes(cut.rows) * count)));
}

void CodeBlockReader::CutForProducts(const CodeCut& cut) {
  row_stride_ = (cut.rows + kDigitPad - 1) / kDigitPad * kDigitPad;
  digits_.resize(digit_sums_.size() * row_stride_);
  CutDigits(cut, row_stride_, digits_.data(), digit_sums_.data());
}

bool CodeBlockReader::CopiesStripes(const Block& block) const {
  return !HasTwins() && state_.grid.outputs >= kFarOutputs && block.vectors <= kFewVectors;
}

void CodeBlockReader::ReadPanels(const Block& block, int row_tile, int pass) {
  const std::size_t first_stored = state_.panels[block.first_panel].stored_before;
  panels_.clear();
  for (int p = block.first_panel; p < block.last_panel; ++p) {
    const Panel panel = state_.PanelOf(block.group, p);
    if (panel.cols > 0) panels_.push_back(panel);
  }
  const bool stripes = CopiesStripes(block);
  const std::size_t together = stripes ? panels_.size() : 1;
  for (std::size_t first = 0; first < panels_.size(); first += together) {
    // Tables and bytes are made from the levels where they are, if they are there as whole SIMD vectors.
    const bool in_place =
        (tables_ || by_bytes_) && !state_.scheme.analog && !stripes && panels_[first].cols == panels_[first].stride;
    const bool copies = !in_place && !HasTwins();
    for (int matrix = 0; matrix < state_.scheme.matrices(); ++matrix) {
      if (copies) CopyLevels(block.group, row_tile, matrix, first, first + together);
      const float* copy = copies ? levels_.data() : nullptr;
      for (std::size_t p = first; p < first + together; ++p) {
        const Panel& panel = panels_[p];
        std::int32_t* sums = sums_.data() + (panel.stored_before - first_stored) * block.vectors;
        ReadMatrix(block, row_tile, pass, panel, matrix, copy, sums);
        if (copies) copy += static_cast<std::size_t>(state_.used_rows(block.group, row_tile)) * panel.stride;
      }
    }
  }
}

void CodeBlockReader::CopyLevels(int group, int row_tile, int matrix, std::size_t first, std::size_t last) {
  const int rows = state_.used_rows(group, row_tile);
  const std::size_t cols = panels_[last - 1].stored_before + panels_[last - 1].stride - panels_[first].stored_before;
  float* copies = levels_.Reserve(rows * cols);
  for (int i = 0; i < rows; ++i) {
    float* copy = copies;
    for (std::size_t p = first; p < last; ++p) {
      const Panel& panel = panels_[p];
      PanelLevels(state_, group, row_tile, panel).CopyRow(matrix, i, copy + static_cast<std::size_t>(i) * panel.stride);
      copy += static_cast<std::size_t>(rows) * panel.stride;
    }
  }
}

void CodeBlockReader::ReadMatrix(const Block& block, int row_tile, int pass, const Panel& panel, int matrix,
                                 const float* copy, std::int32_t* sums) {
  const int slice = state_.scheme.slice(matrix);
  const int polarity = state_.scheme.polarity(matrix);
  CodeReads reads;
  reads.rows = state_.used_rows(block.group, row_tile);
  reads.cols = panel.stride;
  reads.vectors = block.vectors;
  reads.streams = state_.scheme.streams;
  reads.dac_bits = state_.hardware.dac_bits;
  reads.readout = readout_;
  reads.shift = slice * state_.hardware.cell_bits;
  reads.negative = (polarity == 1) != (pass == 1);
  reads.sums = sums;
  reads.counts = &counts_;
  reads.used_cols = panel.cols;
  counts_.conversions += static_cast<std::int64_t>(reads.streams) * block.vectors * panel.cols;
  // Currents of whole levels stay whole numbers, for which codes are proven.
  if (!state_.bounds.whole) reads.level_share = static_cast<float>(state_.share_per_digit());
  if (tables_ && ReadsBytes(state_)) reads.level_unit = state_.level_bytes->unit;
  if (copy != nullptr) {
    reads.levels = copy;
    reads.level_stride = panel.stride;
  } else if (!state_.twins.empty()) {
    reads.levels = state_.twins.matrix(block.group, row_tile, state_.grid.used_rows(row_tile), panel, matrix);
    reads.level_stride = panel.stride;
  } else if (!HasTwins()) {
    reads.levels = PanelLevels(state_, block.group, row_tile, panel).row(slice, polarity, 0);
    reads.level_stride = state_.grid.outputs;
  }
  if (by_bytes_) {
    const LevelBytes& cut = *state_.level_bytes;
    std::int8_t* bytes;
    if (HasTwins()) {
      bytes = state_.twin_bytes.panel(block.group * state_.scheme.matrices() + matrix, row_tile,
                                      state_.grid.used_rows(row_tile), panel);
    } else {
      bytes = level_bytes_.Reserve(cut.panel_bytes(reads.rows, reads.cols));
      CutLevels(cut, reads.levels, reads.level_stride, reads.rows, reads.cols, reads.level_share, bytes);
    }
    ReadBytes(reads, cut, bytes,
              {byte_digits_.data(), units_.data(), static_cast<int>(units_.size()), shares_.data(), order_.data()});
  } else if (tables_) {
    ReadTables(reads, {offsets_.data(), shares_.data(), order_.data(), first_.data()}, scratch_.data());
  } else {
    ReadCodes(reads, {digits_.data(), row_stride_, shares_.data()});
  }
}

void CodeBlockReader::Widen() {
  for (std::size_t i = 0; i < sums_.size(); ++i) wide_sums_[i] += sums_[i];
  std::fill(sums_.begin(), sums_.end(), 0);
}

}  // namespace rxnn
