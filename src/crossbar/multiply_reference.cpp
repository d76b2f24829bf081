// The readable truth: the currents of one vector, array and column after the other, as the hardware would do it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "crossbar/state.hpp"

namespace rxnn {
namespace {

// Digit that a code puts on its word line in one stream of one pass (0: positive parts, 1: negative parts).
int InputDigit(const Hardware& hardware, std::int32_t code, int pass, int stream) {
  const std::int32_t magnitude = std::max(pass == 0 ? code : -code, 0);
  return (magnitude >> (stream * hardware.dac_bits)) & ((1 << hardware.dac_bits) - 1);
}

// One column of one slice of one tile, where all word lines of the tile are driven with `digits`.
class Column {
 public:
  Column(const CrossbarState& state, const std::vector<float>& levels, int group, int row_tile, int output, int slice)
      : state_(state), levels_(levels), group_(group), row_tile_(row_tile), output_(output), slice_(slice) {}

  // sum_i d_i level_i of the array of one polarity, plus its read noise.
  double Current(const std::vector<int>& digits, int polarity, std::uint64_t vector, int read) const {
    double current = 0;
    double variance = 0;
    for (std::size_t i = 0; i < digits.size(); ++i) {
      const double level = Level(static_cast<int>(i), polarity);
      current += digits[i] * level;
      variance += std::pow(digits[i] * (level + state_.off_level), 2);
    }
    if (state_.hardware.read_noise_sigma == 0) return current;
    const int col_tile = output_ / state_.grid.cols;
    const std::uint32_t array = state_.ArrayId(group_, row_tile_, col_tile, slice_, polarity);
    const std::uint64_t index = state_.ReadNoiseIndex(vector, read, output_ - state_.grid.first_col(col_tile));
    const double normal = state_.random.Normal(Draw::kReadNoise, array, index);
    return current + state_.hardware.read_noise_sigma * std::sqrt(variance) * normal;
  }

 private:
  double Level(int row, int polarity) const {
    const std::int64_t plane =
        (static_cast<std::int64_t>(group_) * state_.scheme.polarities + polarity) * state_.scheme.slices + slice_;
    const std::int64_t k = state_.grid.first_row(row_tile_) + row;
    return levels_[(plane * state_.grid.inputs + k) * state_.grid.outputs + output_];
  }

  const CrossbarState& state_;
  const std::vector<float>& levels_;
  const int group_;
  const int row_tile_;
  const int output_;
  const int slice_;
};

}  // namespace

void CrossbarMatrix::MultiplyReference(int group, const std::int32_t* codes, int count, bool has_negative,
                                       std::uint64_t first_read, double* sums) const {
  const CrossbarState& state = *state_;
  const Hardware& hardware = state.hardware;
  state.CheckProgrammed();
  state.CheckCodes(group, codes, count, has_negative);
  const Readout readout = state.MakeReadout();
  const bool analog = state.scheme.polarities == 2 && hardware.subtraction == Subtraction::kAnalog;
  const bool offset = hardware.signed_weights == SignedWeights::kOffset;
  std::vector<float> levels(num_levels());
  CopyLevels(levels.data());

  for (std::int64_t v = 0; v < count; ++v) {
    const std::int32_t* vector_codes = codes + v * inputs();
    const std::uint64_t vector = first_read + v;
    double* vector_sums = sums + v * outputs();
    std::fill_n(vector_sums, outputs(), 0.0);

    for (int row_tile = 0; row_tile < state.grid.row_tiles; ++row_tile) {
      const std::int32_t* tile_codes = vector_codes + state.grid.first_row(row_tile);
      std::vector<int> digits(state.grid.used_rows(row_tile));
      for (int pass = 0; pass < (has_negative ? 2 : 1); ++pass) {
        for (int stream = 0; stream < hardware.num_streams(); ++stream) {
          for (std::size_t i = 0; i < digits.size(); ++i) digits[i] = InputDigit(hardware, tile_codes[i], pass, stream);
          std::int64_t digit_sum = 0;
          for (const int digit : digits) digit_sum += digit;
          const int read = pass * hardware.num_streams() + stream;

          for (int slice = 0; slice < hardware.num_slices(); ++slice) {
            const double weight =
                std::ldexp(pass == 0 ? 1 : -1, slice * hardware.cell_bits + stream * hardware.dac_bits);
            for (int n = 0; n < outputs(); ++n) {
              const Column column(state, levels, group, row_tile, n, slice);
              const double share = digit_sum * state.off_level;
              const double positive = column.Current(digits, 0, vector, read);
              if (state.scheme.polarities == 1) {
                vector_sums[n] += weight * readout.Apply(positive, share);
                continue;
              }
              const double negative = column.Current(digits, 1, vector, read);
              if (analog) {
                vector_sums[n] += weight * readout.Apply(positive - negative, 0);
              } else {
                vector_sums[n] += weight * (readout.Apply(positive, share) - readout.Apply(negative, share));
              }
            }
          }
        }
      }
    }

    if (!offset) continue;
    std::int64_t code_sum = 0;
    for (int k = 0; k < inputs(); ++k) code_sum += vector_codes[k];
    for (int n = 0; n < outputs(); ++n) vector_sums[n] -= std::ldexp(code_sum, hardware.weight_bits - 1);
  }
}

}  // namespace rxnn
