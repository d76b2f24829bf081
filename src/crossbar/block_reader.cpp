#include "crossbar/block_reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "crossbar/panel_levels.hpp"

namespace rxnn {
namespace {

// Reads of one vector: one where all is folded, else one per stream and sign.
int NumReads(const CrossbarState& state, int passes) { return state.scheme.folded ? 1 : state.scheme.streams * passes; }

// weight of (matrix, read) = +-2^(cell_bits slice + dac_bits stream); negative for one of the array and the pass.
std::vector<double> ShiftAndAddWeights(const CrossbarState& state, int reads) {
  const ReadScheme& scheme = state.scheme;
  if (scheme.folded) return {1.0};
  std::vector<double> weights;
  for (int matrix = 0; matrix < scheme.matrices(); ++matrix) {
    for (int read = 0; read < reads; ++read) {
      const int pass = read / scheme.streams;
      const int stream = read % scheme.streams;
      const double sign = (scheme.polarity(matrix) == 1) == (pass == 1) ? 1 : -1;
      weights.push_back(
          std::ldexp(sign, scheme.slice(matrix) * state.hardware.cell_bits + stream * state.hardware.dac_bits));
    }
  }
  return weights;
}

}  // namespace

template <typename T>
BlockLimits BlockReader<T>::Limits(const CrossbarState& state) {
  BlockLimits limits;
  limits.digit_bytes = 192 * 1024;
  limits.bytes_per_vector =
      static_cast<std::int64_t>(sizeof(T)) * std::min(state.grid.rows, state.grid.inputs) * NumReads(state, 1);
  limits.step = 12;  // a multiple of the vectors that the kernels take together
  limits.efficient_vectors = 24;
  limits.most_vectors = 96;
  limits.most_panels = 16;
  return limits;
}

template <typename T>
BlockReader<T>::BlockReader(const CrossbarState& state, const Batch& batch, const Readout& readout)
    : state_(state), batch_(batch), readout_(readout), adcs_(state.hardware, readout.adc, state.random) {}

template <typename T>
void BlockReader<T>::Start(const Block& block) {
  offset_sums_.assign(block.vectors, 0.0);
  const int reads = NumReads(state_, block.passes());
  if (reads == reads_) return;
  reads_ = reads;
  weights_ = ShiftAndAddWeights(state_, reads);
}

template <typename T>
void BlockReader<T>::Multiply(const Block& block, const SumSink& take) {
  BlockTimer timer(&state_.times);
  Start(block);
  const Panel* panels = state_.panels.data();
  const std::size_t first_stored = panels[block.first_panel].stored_before;
  const Panel& last = panels[block.last_panel - 1];
  const auto panel_sums = [&](const Panel& panel) {
    return sums_.data() + (panel.stored_before - first_stored) * block.vectors;
  };

  sums_.assign((last.stored_before + last.stride - first_stored) * block.vectors, 0.0);
  for (int row_tile = 0; row_tile < state_.grid.row_tiles; ++row_tile) {
    LoadDigits(block, row_tile);
    timer.Inputs();
    for (int p = block.first_panel; p < block.last_panel; ++p) {
      const Panel panel = state_.PanelOf(block.group, p);
      if (panel.cols == 0) continue;
      const PanelReads<T> reads = Reads(block, row_tile, panel, panel_sums(panel));
      if (state_.scheme.flawed) {
        ReadFlawedPanel(block, row_tile, panel, reads);
      } else {
        ReadPanel(reads);
      }
      counts_.conversions += static_cast<std::int64_t>(reads.matrices) * reads.reads * block.vectors * panel.cols;
    }
    timer.Reads();
  }
  if (readout_.adc.bits > 0) state_.counts.Add(counts_);
  counts_ = ConversionCounts();
  EmitSums(block, state_.panels, take, &emitted_, [&](const Panel& panel, int v, double* sums) {
    const double* from = panel_sums(panel) + static_cast<std::size_t>(v) * panel.stride;
    for (int j = 0; j < panel.cols; ++j) sums[j] = from[j] - offset_sums_[v];
  });
}

template <typename T>
CurrentHistogram BlockReader<T>::Observe(const Block& block) {
  BlockTimer timer(&state_.times);
  Start(block);
  CurrentHistogram seen;
  for (int row_tile = 0; row_tile < state_.grid.row_tiles; ++row_tile) {
    LoadDigits(block, row_tile);
    timer.Inputs();
    for (int p = block.first_panel; p < block.last_panel; ++p) {
      const Panel panel = state_.PanelOf(block.group, p);
      if (panel.cols == 0) continue;
      const PanelReads<T> reads = Reads(block, row_tile, panel, nullptr);
      for (int matrix = 0; matrix < reads.matrices; ++matrix) {
        for (int read = 0; read < reads.reads; ++read) {
          ReadCurrents(reads, matrix, read);
          AddExcess(block, panel, read);
          for (int v = 0; v < block.vectors; ++v) {
            const double share = shares_[static_cast<std::size_t>(read) * block.vectors + v];
            seen.Add(currents_.data() + static_cast<std::size_t>(v) * panel.stride, panel.cols, share);
          }
        }
      }
    }
    timer.Reads();
  }
  return seen;
}

template <typename T>
void BlockReader<T>::LoadCodes(const Block& block, int row_tile) {
  const int rows = state_.used_rows(block.group, row_tile);
  codes_.assign(static_cast<std::size_t>(block.vectors) * rows, 0);
  for (int pass = 0; pass < block.passes(); ++pass) {
    for (int byte = 0; byte < (state_.hardware.input_bits > 8 ? 2 : 1); ++byte) {
      const InputVectors::Rows from = batch_.vectors.Load(
          {block.group, block.first_vector, block.vectors, state_.grid.first_row(row_tile), rows, pass, byte}, &bytes_);
      for (std::int64_t v = 0; v < block.vectors; ++v) {
        const std::uint8_t* bytes = from.data + v * from.stride;
        std::int32_t* codes = codes_.data() + v * rows;
        for (int i = 0; i < rows; ++i) {
          const std::int32_t part = static_cast<std::int32_t>(bytes[i]) << (8 * byte);
          codes[i] += pass == 0 ? part : -part;
        }
      }
    }
  }
  if (state_.scheme.folded || state_.hardware.signed_weights != SignedWeights::kOffset) return;
  for (std::int64_t v = 0; v < block.vectors; ++v) {
    const std::int32_t* codes = codes_.data() + v * rows;
    const std::int64_t sum = std::accumulate(codes, codes + rows, std::int64_t{0});
    offset_sums_[v] += std::ldexp(static_cast<double>(sum), state_.hardware.weight_bits - 1);
  }
}

template <typename T>
void BlockReader<T>::LoadDigits(const Block& block, int row_tile) {
  const int rows = state_.used_rows(block.group, row_tile);
  LoadCodes(block, row_tile);
  digits_.resize(static_cast<std::size_t>(reads_) * block.vectors * rows);
  shares_.assign(static_cast<std::size_t>(reads_) * block.vectors, 0.0);
  if (state_.scheme.folded) {
    std::copy(codes_.begin(), codes_.end(), digits_.begin());
    return;
  }

  DigitCut<T> cut;
  cut.codes = codes_.data();
  cut.code_stride = rows;
  cut.rows = rows;
  cut.vectors = block.vectors;
  cut.streams = state_.scheme.streams;
  cut.passes = reads_ / cut.streams;
  cut.dac_bits = state_.hardware.dac_bits;
  cut.digits = digits_.data();
  cut.digit_sums = shares_.data();
  CutDigits(cut);
  if (!state_.dacs.ideal()) ApplyDacs(block, row_tile);
  // Where twins are subtracted as currents, g_off leaves no share.
  for (double& share : shares_) share *= state_.scheme.analog ? 0 : state_.off_level;
  if (state_.hardware.read_noise_sigma > 0) {
    digit_squares_.resize(digits_.size());
    std::transform(digits_.begin(), digits_.end(), digit_squares_.begin(), [](T digit) { return digit * digit; });
  }
}

template <typename T>
void BlockReader<T>::ApplyDacs(const Block& block, int row_tile) {
  const DacBank& dacs = state_.dacs;
  const int rows = state_.used_rows(block.group, row_tile);
  const int first_row = state_.grid.first_row(row_tile);
  excess_.assign(shares_.size(), 0.0);
  dac_noise_.assign(rows, 0.0);
  T* digits = digits_.data();
  for (int read = 0; read < reads_; ++read) {
    for (int v = 0; v < block.vectors; ++v, digits += rows) {
      if (dacs.noisy()) {
        dacs.Noise(block.group, batch_.first_read + block.first_vector + v, state_.most_reads(), read, first_row, rows,
                   dac_noise_.data());
      }
      double more = 0;
      for (int i = 0; i < rows; ++i) {
        const int digit = static_cast<int>(digits[i]);
        const double output = dacs.Output(block.group, first_row + i, digit) + dac_noise_[i];
        more += output - digit;
        digits[i] = static_cast<T>(output);
      }
      excess_[static_cast<std::size_t>(read) * block.vectors + v] = state_.share_per_digit() * more;
    }
  }
}

template <typename T>
const T* BlockReader<T>::PanelMatrices(const Block& block, int row_tile, const Panel& panel) {
  const PanelLevels levels(state_, block.group, row_tile, panel);
  const std::size_t cells = static_cast<std::size_t>(levels.rows()) * panel.stride;
  T* matrices = matrices_.Reserve(cells * state_.scheme.matrices());
  if (state_.scheme.folded) {
    std::fill_n(matrices, cells, T{0});
    levels.ForEachFolded([&](int i, int j, double weight) {
      matrices[static_cast<std::size_t>(i) * panel.stride + j] = static_cast<T>(weight);
    });
    return matrices;
  }
  for (int m = 0; m < state_.scheme.matrices(); ++m) levels.CopyMatrix(m, matrices + m * cells);
  return matrices;
}

template <typename T>
PanelReads<T> BlockReader<T>::Reads(const Block& block, int row_tile, const Panel& panel, double* sums) {
  PanelReads<T> reads;
  reads.rows = state_.used_rows(block.group, row_tile);
  reads.cols = panel.stride;
  reads.vectors = block.vectors;
  reads.reads = reads_;
  reads.matrices = state_.scheme.matrices();
  reads.digits = digits_.data();
  reads.shares = shares_.data();
  reads.levels = PanelMatrices(block, row_tile, panel);
  reads.weights = weights_.data();
  reads.readout = readout_;
  reads.sums = sums;
  reads.counts = &counts_;
  reads.used_cols = panel.cols;
  return reads;
}

template <typename T>
void BlockReader<T>::ReadCurrents(const PanelReads<T>& reads, int matrix, int read) {
  const double one = 1;
  PanelReads<T> single = reads;
  currents_.assign(static_cast<std::size_t>(reads.vectors) * reads.cols, 0.0);
  single.reads = 1;
  single.matrices = 1;
  single.digits += static_cast<std::size_t>(read) * reads.vectors * reads.rows;
  single.levels += static_cast<std::size_t>(matrix) * reads.rows * reads.cols;
  single.weights = &one;
  single.readout = Readout();
  single.counts = nullptr;
  single.sums = currents_.data();
  ReadPanel(single);
}

template <typename T>
void BlockReader<T>::AddExcess(const Block& block, const Panel& panel, int read) {
  if (excess_.empty()) return;
  for (int v = 0; v < block.vectors; ++v) {
    const double excess = excess_[static_cast<std::size_t>(read) * block.vectors + v];
    double* currents = currents_.data() + static_cast<std::size_t>(v) * panel.stride;
    for (int j = 0; j < panel.cols; ++j) currents[j] += excess;
  }
}

template <typename T>
void BlockReader<T>::ReadFlawedPanel(const Block& block, int row_tile, const Panel& panel, const PanelReads<T>& reads) {
  const ReadScheme& scheme = state_.scheme;
  const bool noisy = state_.hardware.read_noise_sigma > 0;
  const bool real_adcs = !state_.hardware.adc_flaws.none();
  for (int matrix = 0; matrix < reads.matrices; ++matrix) {
    const std::uint32_t array =
        state_.ArrayId(block.group, row_tile, panel.col_tile, scheme.slice(matrix), scheme.polarity(matrix));
    if (real_adcs) {
      const int first_col = panel.first_col - state_.grid.first_col(panel.col_tile);
      columns_ = adcs_.MakeColumns(array, first_col, panel.cols);
    }
    for (int read = 0; read < reads.reads; ++read) {
      ReadCurrents(reads, matrix, read);
      AddExcess(block, panel, read);
      if (noisy && scheme.analog) {
        AddNoise(block, row_tile, panel, matrix, 0, read, 1);
        AddNoise(block, row_tile, panel, matrix, 1, read, -1);
      } else if (noisy) {
        AddNoise(block, row_tile, panel, matrix, scheme.polarity(matrix), read, 1);
      }
      const double weight = weights_[static_cast<std::size_t>(matrix) * reads_ + read];
      if (real_adcs) {
        ConvertFlawed(block, panel, array, read, weight, reads.sums);
        continue;
      }
      for (int v = 0; v < block.vectors; ++v) {
        const double share = shares_[static_cast<std::size_t>(read) * block.vectors + v];
        const std::size_t row = static_cast<std::size_t>(v) * panel.stride;
        ConvertCurrents(readout_, currents_.data() + row, panel.stride, share, weight, reads.sums + row, &counts_,
                        panel.cols);
      }
    }
  }
}

template <typename T>
void BlockReader<T>::ConvertFlawed(const Block& block, const Panel& panel, std::uint32_t array, int read, double weight,
                                   double* sums) {
  const int first_col = panel.first_col - state_.grid.first_col(panel.col_tile);
  std::array<double, kPanelCols> normals;
  for (int v = 0; v < block.vectors; ++v) {
    if (adcs_.noisy()) {
      const std::uint64_t vector = batch_.first_read + block.first_vector + v;
      state_.random.Normals(Draw::kAdcNoise, array, state_.ReadNoiseIndex(vector, read, first_col), panel.cols,
                            normals.data());
    }
    const std::size_t row = static_cast<std::size_t>(v) * panel.stride;
    adcs_.ConvertRead(columns_, currents_.data() + row, shares_[static_cast<std::size_t>(read) * block.vectors + v],
                      adcs_.noisy() ? normals.data() : nullptr, weight, readout_.whole_levels, sums + row, &counts_);
  }
}

template <typename T>
void BlockReader<T>::AddNoise(const Block& block, int row_tile, const Panel& panel, int matrix, int polarity, int read,
                              double sign) {
  const ReadScheme& scheme = state_.scheme;
  const int slice = scheme.slice(matrix);
  const double one = 1;
  PanelReads<T> squares;
  squares.rows = state_.used_rows(block.group, row_tile);
  squares.cols = panel.stride;
  squares.vectors = block.vectors;
  squares.reads = 1;
  squares.matrices = 1;
  squares.digits = digit_squares_.data() + static_cast<std::size_t>(read) * block.vectors * squares.rows;
  T* levels = squares_.Reserve(static_cast<std::size_t>(squares.rows) * panel.stride);
  PanelLevels(state_, block.group, row_tile, panel).CopySquares(slice, polarity, levels);
  squares.levels = levels;
  squares.weights = &one;
  variances_.assign(static_cast<std::size_t>(block.vectors) * panel.stride, 0.0);
  squares.sums = variances_.data();
  ReadPanel(squares);

  const std::uint32_t array = state_.ArrayId(block.group, row_tile, panel.col_tile, slice, polarity);
  const int first_col = panel.first_col - state_.grid.first_col(panel.col_tile);
  const double scale = sign * state_.hardware.read_noise_sigma;
  std::array<double, kPanelCols> normals;
  for (int v = 0; v < block.vectors; ++v) {
    state_.ReadNoise(array, batch_.first_read + block.first_vector + v, read, first_col, panel.cols, normals.data());
    double* currents = currents_.data() + static_cast<std::size_t>(v) * panel.stride;
    const double* variances = variances_.data() + static_cast<std::size_t>(v) * panel.stride;
    for (int j = 0; j < panel.cols; ++j) currents[j] += scale * std::sqrt(variances[j]) * normals[j];
  }
}

template class BlockReader<float>;
template class BlockReader<double>;

}  // namespace rxnn
