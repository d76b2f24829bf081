#include "crossbar/state.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "mapping/encode.hpp"
#include "vmm/folded.hpp"

namespace rxnn {
namespace {

// Validates before any member depends on it.
const Hardware& Valid(const Hardware& hardware) {
  hardware.Validate();
  return hardware;
}

int Positive(int value, const char* what, const std::string& layer) {
  if (value < 1) {
    std::ostringstream message;
    message << "crossbar matrix " << layer << ": " << value << " " << what << ", expected at least 1";
    throw std::invalid_argument(message.str());
  }
  return value;
}

// Beyond this, float32 does not hold every integer.
constexpr double kFloatIntegers = 1 << 24;
// A converter of more bits has steps that the rounding of float32 currents (24 bits) would blur.
constexpr int kFloatAdcBits = 20;

// Rows of folded weights whose products float32 adds up exactly on ideal hardware, a multiple of kFoldedPad and at most
// what leaves a panel of them in the caches.
int FoldedRows(const Hardware& hardware) {
  constexpr int kMost = 128;
  const double largest = std::ldexp(1.0, hardware.weight_bits - 1) * hardware.max_input_code();
  return static_cast<int>(std::min(kFloatIntegers / largest, 1.0 * kMost)) / kFoldedPad * kFoldedPad;
}

// The grid of folded weights: chunks of rows, all outputs side by side.
TileGrid FoldedGrid(const Hardware& hardware, const TileGrid& grid) {
  Hardware folded = hardware;
  folded.rows = std::max(FoldedRows(hardware), kFoldedPad);
  folded.cols = grid.outputs;
  return TileGrid(folded, grid.inputs, grid.outputs);
}

bool NeedsDouble(const Hardware& hardware, bool folded) {
  const double rows = hardware.rows;
  if (folded) return FoldedRows(hardware) == 0;
  const double largest = (std::ldexp(1.0, hardware.cell_bits) - 1) * (std::ldexp(1.0, hardware.dac_bits) - 1);
  return rows * largest > kFloatIntegers || hardware.adc_bits > kFloatAdcBits;
}

}  // namespace

ReadScheme::ReadScheme(const Hardware& hardware)
    : flawed(hardware.read_noise_sigma > 0 || !hardware.dac_flaws.none() || !hardware.adc_flaws.none()),
      folded(hardware.adc_bits == 0 && !flawed),
      analog(!folded && hardware.num_polarities() == 2 && hardware.subtraction == Subtraction::kAnalog),
      wide(NeedsDouble(hardware, folded)),
      slices(hardware.num_slices()),
      polarities(hardware.num_polarities()),
      streams(hardware.num_streams()) {}

CrossbarState::CrossbarState(const Hardware& hardware, std::string name, int groups, int inputs, int outputs)
    : hardware(Valid(hardware)),
      name(std::move(name)),
      packs(hardware, Positive(groups, "groups", this->name), Positive(inputs, "inputs", this->name),
            Positive(outputs, "outputs", this->name)),
      grid(hardware, packs.pack_inputs(), packs.pack_outputs()),
      panels(MakePanels(grid)),
      scheme(hardware),
      random(hardware.seed, this->name),
      faults(hardware, this->name),
      dacs(hardware, random, packs.pack_inputs()),
      off_level(hardware.g_off() / hardware.g_step()),
      folded_grid(FoldedGrid(hardware, grid)),
      folded_panels(MakePanels(folded_grid)) {
  if (faults.largest_array() < num_arrays()) return;
  std::ostringstream message;
  message << "fault: layer " << this->name << " has " << num_arrays() << " arrays, array " << faults.largest_array()
          << " is not one of them (0 to " << num_arrays() - 1 << ")";
  throw HardwareError(message.str());
}

std::uint32_t CrossbarState::ArrayId(int pack, int row_tile, int col_tile, int slice, int polarity) const {
  std::uint32_t id = static_cast<std::uint32_t>(pack);
  id = id * grid.row_tiles + row_tile;
  id = id * grid.col_tiles + col_tile;
  id = id * scheme.slices + slice;
  return id * scheme.polarities + polarity;
}

std::int64_t CrossbarState::num_tiles() const {
  return static_cast<std::int64_t>(packs.count) * grid.row_tiles * grid.col_tiles;
}

std::int64_t CrossbarState::num_arrays() const { return num_tiles() * scheme.slices * scheme.polarities; }

void CrossbarState::ReadNoise(std::uint32_t array, std::uint64_t vector, int read, int column, int count,
                              double* normals) const {
  random.Normals(Draw::kReadNoise, array, ReadNoiseIndex(vector, read, column), count, normals);
}

std::uint64_t CrossbarState::ReadNoiseIndex(std::uint64_t vector, int read, int column) const {
  return (vector * most_reads() + read) * grid.cols + column;
}

Readout CrossbarState::MakeReadout() const {
  Readout readout;
  if (hardware.adc_bits == 0) return readout;
  CurrentRange range;
  switch (hardware.adc_range) {
    case AdcRange::kFullScale:
      range = FullScale(hardware);
      break;
    case AdcRange::kGiven:
      range.min = hardware.adc_min_ampere / CurrentUnit(hardware);
      range.max = hardware.adc_max_ampere / CurrentUnit(hardware);
      break;
    case AdcRange::kCalibrated:
      if (!calibrated) {
        throw std::logic_error("crossbar matrix " + name +
                               ": adc_range is CALIBRATED and no range is set: observe currents and set it first");
      }
      range = *calibrated;
      break;
  }
  readout.adc = Adc(hardware.adc_bits, range.min, range.max);
  // A converter that tells single levels apart counts them: its back end knows that levels are whole.
  readout.whole_levels = readout.adc.lsb <= 1;
  return readout;
}

void CrossbarState::CheckProgrammed() const {
  if (scales.empty()) {
    throw std::logic_error("crossbar matrix " + name + ": nothing is programmed; Program or Load comes first");
  }
}

void CrossbarState::CheckCodes(int pack, const std::int32_t* codes, int count, bool has_negative) const {
  std::ostringstream message;
  message << "crossbar matrix " << name << ": ";
  if (pack < 0 || pack >= packs.count || count < 0) {
    message << (packs.shared() ? "pack " : "group ") << pack << " and " << count << " vectors, expected one below "
            << packs.count << " and no negative count";
    throw std::invalid_argument(message.str());
  }
  const std::int32_t high = hardware.max_input_code();
  const std::int32_t low = has_negative ? -high : 0;
  const CodeRange range = FindCodeRange(codes, static_cast<std::int64_t>(count) * grid.inputs);
  if (range.low < low || range.high > high) {
    message << "input code " << (range.low < low ? range.low : range.high) << ", expected " << low << " to " << high;
    throw std::invalid_argument(message.str());
  }
}

}  // namespace rxnn
