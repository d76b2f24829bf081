// The description of the hardware: one plain struct, the core's mirror of the message CrossbarParameter.
#pragma once

#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "rxnn/iv_curve.hpp"

namespace rxnn {

// How signed weights sit on cells whose conductance is positive.
enum class SignedWeights { kDifferential, kOffset };
// Where the twin arrays of kDifferential are subtracted: after their ADCs, or as currents before one ADC.
enum class Subtraction { kDigital, kAnalog };
// What the largest weight is taken of: the layer, or each output column.
enum class WeightScale { kLayer, kColumn };
// Where the current range of the ADCs comes from.
enum class AdcRange { kFullScale, kCalibrated, kGiven };
// How a calibrated range is found in observed currents.
enum class AdcCalibration { kMinMax, kPercentile, kMinimumSquaredError };
// The law of programming variation: g (1 + sigma n) clipped at 0, or g exp(sigma n), n standard normal.
enum class Distribution { kNormal, kLogNormal };
// A resistive device between word line and bit line, or one behind an access transistor.
enum class CellType { kOneR, kOneTOneR };

// Which groups of a convolution share arrays: none; or as many as fit down the diagonal of one array, read at once.
enum class GroupPacking { kSeparate, kBlockDiagonal };

// Which ends of the lines of one kind have a driver or a sense amplifier.
enum class LineEnds {
  kOne,         // word lines: the left end; bit lines: the lower end
  kBoth,        // both, word lines at one and the same voltage, bit lines with their currents added
  kAlternating  // lines 0, 2, .. as kOne, lines 1, 3, .. at the other end
};

// The wires of an array: resistances in ohm, each of which may be 0, and where they end.
struct WireResistances {
  double source_ohm = 0;    // driver of a word line, segment to the first cell included
  double sink_ohm = 0;      // sense amplifier of a bit line, segment from the last cell included
  double wordline_ohm = 0;  // one word-line segment between neighbouring cells
  double bitline_ohm = 0;   // one bit-line segment between neighbouring cells
  // Where segments differ: word line from column j to j + 1 (cols - 1 values), bit line from row i to i + 1 (rows - 1
  // values). Empty: all are wordline_ohm, bitline_ohm.
  std::vector<double> wordline_segments_ohm = {};
  std::vector<double> bitline_segments_ohm = {};
  LineEnds wordline_driven = LineEnds::kOne;
  LineEnds bitline_sensed = LineEnds::kOne;

  // Word-line segment from column j to j + 1, bit-line segment from row i to i + 1.
  double wordline_segment(int j) const {
    return wordline_segments_ohm.empty() ? wordline_ohm : wordline_segments_ohm[j];
  }
  double bitline_segment(int i) const { return bitline_segments_ohm.empty() ? bitline_ohm : bitline_segments_ohm[i]; }

  bool ideal() const {
    const auto none = [](double ohm, const std::vector<double>& segments) {
      return segments.empty() ? ohm == 0
                              : std::all_of(segments.begin(), segments.end(), [](double r) { return r == 0; });
    };
    return source_ohm == 0 && sink_ohm == 0 && none(wordline_ohm, wordline_segments_ohm) &&
           none(bitline_ohm, bitline_segments_ohm);
  }
};

// Whether line `index` ends in a driver or a sense amplifier at its left or lower end, and at the other one.
inline bool HasNearEnd(LineEnds ends, int index) { return ends != LineEnds::kAlternating || index % 2 == 0; }
inline bool HasFarEnd(LineEnds ends, int index) {
  return ends == LineEnds::kBoth || (ends == LineEnds::kAlternating && index % 2 == 1);
}

// A cell of a given conductance whatever is programmed. A layer that is empty and a number that is negative stand for
// all: a whole line, every array. Of several faults of one cell the last one counts.
struct Fault {
  std::string layer;
  std::int64_t array = -1;  // number of the array in its layer, CrossbarMatrix::ArrayNumber
  int row = -1;
  int col = -1;
  double siemens = 0;
};

// What keeps a DAC from being ideal (docs/physics.md, "Converters"). An lsb is v_read / (2^dac_bits - 1).
struct DacFlaws {
  std::vector<double> volt;        // of every digit, or empty
  std::vector<double> polynomial;  // of d / (2^dac_bits - 1), in units of v_read, or empty
  double inl_lsb = 0;
  double dnl_sigma_lsb = 0;
  double gain_error = 0;
  double offset_volt = 0;
  double noise_sigma_volt = 0;

  // All DACs put out d lsb for digit d.
  bool none() const {
    return volt.empty() && polynomial.empty() && inl_lsb == 0 && dnl_sigma_lsb == 0 && gain_error == 0 &&
           offset_volt == 0 && noise_sigma_volt == 0;
  }
};

// What keeps an ADC from being ideal. An lsb is a step of its range.
struct AdcFlaws {
  double gain_error = 0;
  double gain_sigma = 0;
  double offset_lsb = 0;
  double offset_sigma_lsb = 0;
  double noise_sigma_lsb = 0;
  std::vector<double> polynomial;  // of the input over the range, or empty
  double inl_lsb = 0;
  std::vector<double> transition_lsb;  // 2^adc_bits - 1 inputs above the lowest code, or empty
  double dnl_sigma_lsb = 0;

  bool none() const {
    return gain_error == 0 && gain_sigma == 0 && offset_lsb == 0 && offset_sigma_lsb == 0 && noise_sigma_lsb == 0 &&
           polynomial.empty() && inl_lsb == 0 && transition_lsb.empty() && dnl_sigma_lsb == 0;
  }
};

// Thrown for hardware that cannot exist. what() names field, value and allowed range.
class HardwareError : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// Field names, units and defaults are those of CrossbarParameter (caffe/proto/caffe.proto).
struct Hardware {
  int rows = 64;  // word lines of one array
  int cols = 64;  // bit lines of one array

  int weight_bits = 8;  // sign included
  int cell_bits = 2;
  SignedWeights signed_weights = SignedWeights::kDifferential;
  Subtraction subtraction = Subtraction::kDigital;
  WeightScale weight_scale = WeightScale::kLayer;
  GroupPacking group_packing = GroupPacking::kSeparate;

  int input_bits = 8;
  int dac_bits = 1;
  double input_range = 0;  // 0: the largest magnitude of each image
  double v_read_volt = 0.25;

  double r_on_ohm = 1e5;
  double r_off_ohm = 1e6;
  WireResistances wires{500, 100, 2.5, 2.5};

  double conductance_sigma = 0;
  Distribution conductance_distribution = Distribution::kNormal;
  double stuck_on_rate = 0;
  double stuck_off_rate = 0;
  double read_noise_sigma = 0;
  std::uint64_t seed = 0;

  CellType cell_type = CellType::kOneR;
  double r_access_on_ohm = 3e3;       // the transistors of the rows that a tile uses
  double r_access_off_ohm = 1e9;      // those of its other rows
  std::vector<double> level_siemens;  // 2^cell_bits rising conductances, or empty: evenly from 1 / r_off to 1 / r_on
  std::vector<double> level_sigma;    // 2^cell_bits relative deviations, or empty: conductance_sigma for all
  std::vector<Fault> faults;
  double drift_time_second = 0;  // 0: no drift
  double drift_t0_second = 1;
  double drift_nu = 0;
  double drift_nu_sigma = 0;
  IvCurve::Kind cell_curve = IvCurve::Kind::kLinear;
  double curve_v0_volt = 0.5;
  std::vector<double> curve_volt;
  std::vector<double> curve_ampere;
  int curve_inputs = 16;  // random vectors that effective conductances are fitted to

  DacFlaws dac_flaws;
  int adc_bits = 8;  // 0: ideal
  AdcRange adc_range = AdcRange::kFullScale;
  double adc_min_ampere = 0;
  double adc_max_ampere = 0;
  AdcCalibration adc_calibration = AdcCalibration::kMinMax;
  double adc_percentile = 99.9;
  AdcFlaws adc_flaws;

  // Throws HardwareError for the first field out of its range.
  void Validate() const;

  // Derived quantities; meaningful for valid hardware only.
  double g_on() const { return level_siemens.empty() ? 1 / r_on_ohm : level_siemens.back(); }     // siemens
  double g_off() const { return level_siemens.empty() ? 1 / r_off_ohm : level_siemens.front(); }  // siemens
  int num_levels() const { return 1 << cell_bits; }
  bool linear_cells() const { return cell_curve == IvCurve::Kind::kLinear; }
  // Conductance of one level, on average: (g_on - g_off) / (2^cell_bits - 1), siemens.
  double g_step() const { return (g_on() - g_off()) / ((1 << cell_bits) - 1); }
  // Largest weight code: 2^(weight_bits-1) - 1.
  int max_weight_code() const { return (1 << (weight_bits - 1)) - 1; }
  // Largest input code: 2^input_bits - 1.
  int max_input_code() const { return (1 << input_bits) - 1; }
  // Whether one input vector read twice may give two results.
  bool has_noise() const {
    return read_noise_sigma > 0 || dac_flaws.noise_sigma_volt > 0 || adc_flaws.noise_sigma_lsb > 0;
  }
  // Arrays a weight's digits are cut into: DIFFERENTIAL cuts weight_bits - 1 magnitude bits, OFFSET weight_bits bits.
  int num_slices() const {
    const int bits = signed_weights == SignedWeights::kDifferential ? weight_bits - 1 : weight_bits;
    return (bits + cell_bits - 1) / cell_bits;
  }
  // Physical arrays per tile and slice: 2 (positive, negative) or 1.
  int num_polarities() const { return signed_weights == SignedWeights::kDifferential ? 2 : 1; }
  // Passes one input is cut into.
  int num_streams() const { return (input_bits + dac_bits - 1) / dac_bits; }
  // Relative deviation of a cell programmed to `digit`.
  double sigma(int digit) const { return level_sigma.empty() ? conductance_sigma : level_sigma[digit]; }
  bool varies() const {
    return conductance_sigma > 0 || std::any_of(level_sigma.begin(), level_sigma.end(), [](double s) { return s > 0; });
  }
  bool drifts() const { return drift_time_second > 0 && (drift_nu > 0 || drift_nu_sigma > 0); }
  // Cells that are programmed alike are alike, in every array.
  bool cells_are_alike() const {
    return !varies() && stuck_on_rate == 0 && stuck_off_rate == 0 && faults.empty() &&
           !(drifts() && drift_nu_sigma > 0);
  }
  // Digit d is g_off + d g_step in every cell.
  bool ideal_cells() const {
    return cells_are_alike() && !drifts() && level_siemens.empty() && cell_type == CellType::kOneR && linear_cells();
  }
};

}  // namespace rxnn
