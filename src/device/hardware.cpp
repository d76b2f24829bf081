#include "rxnn/hardware.hpp"

#include <cmath>
#include <limits>
#include <sstream>

namespace rxnn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Throws unless low <= value <= high; `low_open` excludes low itself.
template <typename T>
void RequireRange(const char* field, T value, double low, double high, bool low_open = false) {
  const double v = static_cast<double>(value);
  if (std::isfinite(v) && v >= low && v <= high && !(low_open && v == low)) return;
  std::ostringstream message;
  message << field << ": " << value << " is out of range, allowed is ";
  if (low == -kInfinity) {
    message << "any finite number";
  } else if (high == kInfinity) {
    message << (low_open ? "above " : "at least ") << low;
  } else {
    message << (low_open ? "above " : "") << low << " to " << high;
  }
  throw HardwareError(message.str());
}

// Throws unless value is above `bound`, which is the value of another field.
void RequireAbove(const char* field, double value, const char* bound_field, double bound) {
  if (std::isfinite(value) && value > bound) return;
  std::ostringstream message;
  message << field << ": " << value << " must be above " << bound_field << " (" << bound << ")";
  throw HardwareError(message.str());
}

void RequireAtMost(const char* field, int value, const char* bound_field, int bound) {
  if (value <= bound) return;
  std::ostringstream message;
  message << field << ": " << value << " must not be above " << bound_field << " (" << bound << ")";
  throw HardwareError(message.str());
}

}  // namespace

void Hardware::Validate() const {
  RequireRange("rows", rows, 1, 4096);
  RequireRange("cols", cols, 1, 4096);

  RequireRange("weight_bits", weight_bits, 2, 16);
  RequireRange("cell_bits", cell_bits, 1, 16);
  RequireAtMost("cell_bits", cell_bits, "weight_bits", weight_bits);

  RequireRange("input_bits", input_bits, 1, 16);
  RequireRange("dac_bits", dac_bits, 1, 16);
  RequireAtMost("dac_bits", dac_bits, "input_bits", input_bits);
  RequireRange("input_range", input_range, 0, kInfinity);
  RequireRange("v_read_volt", v_read_volt, 0, kInfinity, true);

  RequireRange("r_on_ohm", r_on_ohm, 0, kInfinity, true);
  RequireAbove("r_off_ohm", r_off_ohm, "r_on_ohm", r_on_ohm);
  RequireRange("r_source_ohm", wires.source_ohm, 0, kInfinity);
  RequireRange("r_sink_ohm", wires.sink_ohm, 0, kInfinity);
  RequireRange("r_wordline_ohm", wires.wordline_ohm, 0, kInfinity);
  RequireRange("r_bitline_ohm", wires.bitline_ohm, 0, kInfinity);

  RequireRange("conductance_sigma", conductance_sigma, 0, kInfinity);
  RequireRange("stuck_on_rate", stuck_on_rate, 0, 1);
  RequireRange("stuck_off_rate", stuck_off_rate, 0, 1);
  RequireRange("stuck_on_rate + stuck_off_rate", stuck_on_rate + stuck_off_rate, 0, 1);
  RequireRange("read_noise_sigma", read_noise_sigma, 0, kInfinity);

  RequireRange("adc_bits", adc_bits, 0, 24);
  if (adc_range == AdcRange::kGiven) {
    RequireRange("adc_min_ampere", adc_min_ampere, -kInfinity, kInfinity);
    RequireAbove("adc_max_ampere", adc_max_ampere, "adc_min_ampere", adc_min_ampere);
  }
}

}  // namespace rxnn
