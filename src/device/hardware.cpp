#include "rxnn/hardware.hpp"

#include <cmath>
#include <limits>
#include <sstream>
#include <string>
#include <vector>

namespace rxnn {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

// Throws unless low <= value <= high; `low_open` excludes low itself.
template <typename T>
void RequireRange(const std::string& field, T value, double low, double high, bool low_open = false) {
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
void RequireAbove(const std::string& field, double value, const std::string& bound_field, double bound) {
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

std::string Element(const char* field, std::size_t index) {
  return field + std::string("[") + std::to_string(index) + "]";
}

// A list has `count` values within the range, or none.
void RequireList(const char* field, const std::vector<double>& list, int count, const char* count_name, double low,
                 double high, bool low_open = false) {
  if (list.empty()) return;
  if (list.size() != static_cast<std::size_t>(count)) {
    std::ostringstream message;
    message << field << ": " << list.size() << " values, expected " << count << " (" << count_name << ") or none";
    throw HardwareError(message.str());
  }
  for (std::size_t i = 0; i < list.size(); ++i) RequireRange(Element(field, i), list[i], low, high, low_open);
}

void RequireRising(const char* field, const std::vector<double>& list) {
  for (std::size_t i = 1; i < list.size(); ++i) {
    RequireAbove(Element(field, i), list[i], Element(field, i - 1), list[i - 1]);
  }
}

// The largest conductance that the extraction takes.
constexpr double kMaxSiemens = 1e6;

void ValidateFault(const Hardware& hardware, const Fault& fault, std::size_t index) {
  const std::string name = Element("fault", index);
  // Negative: all of them.
  if (fault.row >= 0) RequireRange(name + ".row", fault.row, 0, hardware.rows - 1);
  if (fault.col >= 0) RequireRange(name + ".col", fault.col, 0, hardware.cols - 1);
  RequireRange(name + ".conductance_siemens", fault.siemens, 0, kMaxSiemens);
}

void ValidateCells(const Hardware& h) {
  RequireRange("r_on_ohm", h.r_on_ohm, 0, kInfinity, true);
  RequireAbove("r_off_ohm", h.r_off_ohm, "r_on_ohm", h.r_on_ohm);
  RequireRange("r_access_on_ohm", h.r_access_on_ohm, 0, kInfinity);
  RequireRange("r_access_off_ohm", h.r_access_off_ohm, 0, kInfinity);
  RequireList("level_siemens", h.level_siemens, h.num_levels(), "2^cell_bits", 0, kMaxSiemens, true);
  RequireRising("level_siemens", h.level_siemens);

  RequireRange("conductance_sigma", h.conductance_sigma, 0, kInfinity);
  RequireList("level_sigma", h.level_sigma, h.num_levels(), "2^cell_bits", 0, kInfinity);
  if (!h.level_sigma.empty() && h.conductance_sigma > 0) {
    throw HardwareError("conductance_sigma and level_sigma: both are given, expected one of them");
  }
  RequireRange("stuck_on_rate", h.stuck_on_rate, 0, 1);
  RequireRange("stuck_off_rate", h.stuck_off_rate, 0, 1);
  RequireRange("stuck_on_rate + stuck_off_rate", h.stuck_on_rate + h.stuck_off_rate, 0, 1);
  RequireRange("read_noise_sigma", h.read_noise_sigma, 0, kInfinity);
  for (std::size_t i = 0; i < h.faults.size(); ++i) ValidateFault(h, h.faults[i], i);

  RequireRange("drift_t0_second", h.drift_t0_second, 0, kInfinity, true);
  RequireRange("drift_time_second", h.drift_time_second, 0, kInfinity);
  if (h.drift_time_second > 0 && h.drift_time_second < h.drift_t0_second) {
    std::ostringstream message;
    message << "drift_time_second: " << h.drift_time_second << " must be 0 or at least drift_t0_second ("
            << h.drift_t0_second << ")";
    throw HardwareError(message.str());
  }
  RequireRange("drift_nu", h.drift_nu, 0, kInfinity);
  RequireRange("drift_nu_sigma", h.drift_nu_sigma, 0, kInfinity);
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

  RequireRange("r_source_ohm", wires.source_ohm, 0, kInfinity);
  RequireRange("r_sink_ohm", wires.sink_ohm, 0, kInfinity);
  RequireRange("r_wordline_ohm", wires.wordline_ohm, 0, kInfinity);
  RequireRange("r_bitline_ohm", wires.bitline_ohm, 0, kInfinity);

  RequireList("r_wordline_segment_ohm", wires.wordline_segments_ohm, cols - 1, "cols - 1", 0, kInfinity);
  RequireList("r_bitline_segment_ohm", wires.bitline_segments_ohm, rows - 1, "rows - 1", 0, kInfinity);
  ValidateCells(*this);

  RequireRange("adc_bits", adc_bits, 0, 24);
  if (adc_range == AdcRange::kGiven) {
    RequireRange("adc_min_ampere", adc_min_ampere, -kInfinity, kInfinity);
    RequireAbove("adc_max_ampere", adc_max_ampere, "adc_min_ampere", adc_min_ampere);
  }
}

}  // namespace rxnn
