// The readable truth: the currents of one vector, array and column after the other, as the hardware would do it.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "crossbar/state.hpp"
#include "periphery/adc_bank.hpp"

namespace rxnn {
namespace {

// Digit that a code puts on its word line in one stream of one pass (0: positive parts, 1: negative parts).
int InputDigit(const Hardware& hardware, std::int32_t code, int pass, int stream) {
  const std::int32_t magnitude = std::max(pass == 0 ? code : -code, 0);
  return (magnitude >> (stream * hardware.dac_bits)) & ((1 << hardware.dac_bits) - 1);
}

// What the DACs of a row tile put on its word lines in one read.
struct Inputs {
  std::vector<double> outputs;  // in steps
  double digit_sum = 0;         // what the digital side knows of them
  double output_sum = 0;
};

// One column of one slice of one tile, its word lines driven by `inputs`.
class Column {
 public:
  Column(const CrossbarState& state, const std::vector<float>& levels, const Readout& readout, const AdcBank& adcs,
         int pack, int row_tile, int output, int slice)
      : state_(state),
        levels_(levels),
        readout_(readout),
        adcs_(adcs),
        pack_(pack),
        row_tile_(row_tile),
        output_(output),
        slice_(slice) {}

  // sum_i e_i level_i of the array of one polarity, plus its read noise.
  double Current(const Inputs& inputs, int polarity, std::uint64_t vector, int read) const {
    double current = 0;
    double variance = 0;
    for (std::size_t i = 0; i < inputs.outputs.size(); ++i) {
      const double level = Level(static_cast<int>(i), polarity);
      current += inputs.outputs[i] * level;
      variance += std::pow(inputs.outputs[i] * (level + state_.off_level), 2);
    }
    if (state_.hardware.read_noise_sigma == 0) return current;
    const double normal =
        state_.random.Normal(Draw::kReadNoise, Array(polarity), state_.ReadNoiseIndex(vector, read, Place()));
    return current + state_.hardware.read_noise_sigma * std::sqrt(variance) * normal;
  }

  // Levels that the digital side makes of a current: the DACs put `output_share` of g_off into it, of which it knows
  // and subtracts `share`. The converter is that of the array of `polarity`.
  double Read(double current, double output_share, double share, int polarity, std::uint64_t vector, int read,
              ConversionCounts* counts) const {
    if (readout_.adc.bits == 0) return current + (output_share - share);
    ++counts->conversions;
    const AdcBank::Column adc = adcs_.MakeColumn(Array(polarity), Place());
    const double normal = adcs_.noisy() ? state_.random.Normal(Draw::kAdcNoise, Array(polarity),
                                                               state_.ReadNoiseIndex(vector, read, Place()))
                                        : 0;
    const double levels = adcs_.Convert(adc, current + output_share, normal, counts) - share;
    return readout_.whole_levels ? std::nearbyint(levels) : levels;
  }

 private:
  int ColTile() const { return output_ / state_.grid.cols; }
  int Place() const { return output_ - state_.grid.first_col(ColTile()); }
  std::uint32_t Array(int polarity) const { return state_.ArrayId(pack_, row_tile_, ColTile(), slice_, polarity); }
  double Level(int row, int polarity) const {
    const std::int64_t plane =
        (static_cast<std::int64_t>(pack_) * state_.scheme.polarities + polarity) * state_.scheme.slices + slice_;
    const std::int64_t k = state_.grid.first_row(row_tile_) + row;
    return levels_[(plane * state_.grid.inputs + k) * state_.grid.outputs + output_];
  }

  const CrossbarState& state_;
  const std::vector<float>& levels_;
  const Readout& readout_;
  const AdcBank& adcs_;
  const int pack_;
  const int row_tile_;
  const int output_;
  const int slice_;
};

Inputs Drive(const CrossbarState& state, const std::vector<int>& digits, int pack, int row_tile, std::uint64_t vector,
             int read) {
  Inputs inputs;
  const int first_row = state.grid.first_row(row_tile);
  const int rows = static_cast<int>(digits.size());
  std::vector<double> noise(rows, 0.0);
  if (state.dacs.noisy()) {
    state.dacs.Noise(pack, vector, state.most_reads(), read, first_row, rows, noise.data());
  }
  for (int i = 0; i < rows; ++i) {
    inputs.outputs.push_back(state.dacs.Output(pack, first_row + i, digits[i]) + noise[i]);
    inputs.digit_sum += digits[i];
    inputs.output_sum += inputs.outputs.back();
  }
  return inputs;
}

}  // namespace

void CrossbarMatrix::MultiplyReference(int pack, const std::int32_t* codes, int count, bool has_negative,
                                       std::uint64_t first_read, double* sums) const {
  const CrossbarState& state = *state_;
  const Hardware& hardware = state.hardware;
  state.CheckProgrammed();
  state.CheckCodes(pack, codes, count, has_negative);
  const Readout readout = state.MakeReadout();
  const AdcBank adcs(hardware, readout.adc, state.random);
  const bool analog = state.scheme.polarities == 2 && hardware.subtraction == Subtraction::kAnalog;
  const int used_outputs = packs().groups_in(pack) * outputs();
  const bool offset = hardware.signed_weights == SignedWeights::kOffset;
  std::vector<float> levels(num_levels());
  CopyLevels(levels.data());

  ConversionCounts counts;
  for (std::int64_t v = 0; v < count; ++v) {
    const std::int32_t* vector_codes = codes + v * packs().pack_inputs();
    const std::uint64_t vector = first_read + v;
    double* vector_sums = sums + v * packs().pack_outputs();
    std::fill_n(vector_sums, packs().pack_outputs(), 0.0);

    for (int row_tile = 0; row_tile < state.grid.row_tiles; ++row_tile) {
      const std::int32_t* tile_codes = vector_codes + state.grid.first_row(row_tile);
      std::vector<int> digits(state.used_rows(pack, row_tile));
      for (int pass = 0; pass < (has_negative ? 2 : 1); ++pass) {
        for (int stream = 0; stream < hardware.num_streams(); ++stream) {
          for (std::size_t i = 0; i < digits.size(); ++i) digits[i] = InputDigit(hardware, tile_codes[i], pass, stream);
          const int read = pass * hardware.num_streams() + stream;
          const Inputs driven = Drive(state, digits, pack, row_tile, vector, read);
          const double share = driven.digit_sum * state.off_level;
          const double output_share = driven.output_sum * state.off_level;

          for (int slice = 0; slice < hardware.num_slices(); ++slice) {
            const double weight =
                std::ldexp(pass == 0 ? 1 : -1, slice * hardware.cell_bits + stream * hardware.dac_bits);
            for (int n = 0; n < used_outputs; ++n) {
              const Column column(state, levels, readout, adcs, pack, row_tile, n, slice);
              const double positive = column.Current(driven, 0, vector, read);
              if (state.scheme.polarities == 1) {
                vector_sums[n] += weight * column.Read(positive, output_share, share, 0, vector, read, &counts);
                continue;
              }
              const double negative = column.Current(driven, 1, vector, read);
              if (analog) {
                vector_sums[n] += weight * column.Read(positive - negative, 0, 0, 0, vector, read, &counts);
              } else {
                vector_sums[n] += weight * (column.Read(positive, output_share, share, 0, vector, read, &counts) -
                                            column.Read(negative, output_share, share, 1, vector, read, &counts));
              }
            }
          }
        }
      }
    }

    if (!offset) continue;
    for (int n = 0; n < used_outputs; ++n) {
      const int group = n / outputs();  // in the pack: only on its rows were weights written with an offset
      std::int64_t code_sum = 0;
      for (int k = group * inputs(); k < (group + 1) * inputs(); ++k) code_sum += vector_codes[k];
      vector_sums[n] -= std::ldexp(code_sum, hardware.weight_bits - 1);
    }
  }
  state.counts.Add(counts);
}

}  // namespace rxnn
