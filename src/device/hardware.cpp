#include "rxnn/hardware.hpp"

#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
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
  if (low != -kInfinity && !std::isfinite(v)) message << "a finite number, ";
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
  message << field << ": " << value << " must be " << (std::isfinite(value) ? "" : "finite and ") << "above "
          << bound_field << " (" << bound << ")";
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

void ValidateCurve(const Hardware& h) {
  IvCurve curve;
  curve.kind = h.cell_curve;
  curve.v0_volt = h.curve_v0_volt;
  curve.volt = h.curve_volt;
  curve.value = h.curve_ampere;
  try {
    curve.Check();
  } catch (const std::invalid_argument& error) {
    throw HardwareError(error.what());
  }
  RequireRange("curve_inputs", h.curve_inputs, 1, 1024);
  if (h.linear_cells()) return;
  constexpr int kMaxCurvedSide = 512;  // of circuit.hpp, which is not for here to include
  RequireRange("rows, with a cell_curve that is not LINEAR", h.rows, 1, kMaxCurvedSide);
  RequireRange("cols, with a cell_curve that is not LINEAR", h.cols, 1, kMaxCurvedSide);
}

void RequireFinite(const char* field, const std::vector<double>& list) {
  for (std::size_t i = 0; i < list.size(); ++i) RequireRange(Element(field, i), list[i], -kInfinity, kInfinity);
}

void ValidateDac(const Hardware& h) {
  const DacFlaws& flaws = h.dac_flaws;
  RequireList("dac_volt", flaws.volt, 1 << h.dac_bits, "2^dac_bits", -kInfinity, kInfinity);
  RequireFinite("dac_polynomial", flaws.polynomial);
  if (!flaws.volt.empty() && !flaws.polynomial.empty()) {
    throw HardwareError("dac_volt and dac_polynomial: both are given, expected one of them");
  }
  RequireRange("dac_inl_lsb", flaws.inl_lsb, -kInfinity, kInfinity);
  RequireRange("dac_dnl_sigma_lsb", flaws.dnl_sigma_lsb, 0, kInfinity);
  RequireRange("dac_gain_error", flaws.gain_error, -1, kInfinity, true);
  RequireRange("dac_offset_volt", flaws.offset_volt, -kInfinity, kInfinity);
  RequireRange("dac_noise_sigma_volt", flaws.noise_sigma_volt, 0, kInfinity);
}

void ValidateAdc(const Hardware& h) {
  RequireRange("adc_bits", h.adc_bits, 0, 24);
  if (h.adc_range == AdcRange::kGiven) {
    RequireRange("adc_min_ampere", h.adc_min_ampere, -kInfinity, kInfinity);
    RequireAbove("adc_max_ampere", h.adc_max_ampere, "adc_min_ampere", h.adc_min_ampere);
  }
  RequireRange("adc_percentile", h.adc_percentile, 50, 100, true);
  const AdcFlaws& flaws = h.adc_flaws;
  RequireRange("adc_gain_error", flaws.gain_error, -1, kInfinity, true);
  RequireRange("adc_gain_sigma", flaws.gain_sigma, 0, kInfinity);
  RequireRange("adc_offset_lsb", flaws.offset_lsb, -kInfinity, kInfinity);
  RequireRange("adc_offset_sigma_lsb", flaws.offset_sigma_lsb, 0, kInfinity);
  RequireRange("adc_noise_sigma_lsb", flaws.noise_sigma_lsb, 0, kInfinity);
  RequireFinite("adc_polynomial", flaws.polynomial);
  RequireRange("adc_inl_lsb", flaws.inl_lsb, -kInfinity, kInfinity);
  RequireRange("adc_dnl_sigma_lsb", flaws.dnl_sigma_lsb, 0, 1);
  RequireList("adc_transition_lsb", flaws.transition_lsb, (1 << h.adc_bits) - 1, "2^adc_bits - 1", -kInfinity,
              kInfinity);
  RequireRising("adc_transition_lsb", flaws.transition_lsb);
  if (h.adc_bits == 0 && !flaws.none()) {
    throw HardwareError("adc_bits: 0 is an ideal converter, but a field describes its flaws; expected 1 to 24");
  }
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

  ValidateCurve(*this);
  ValidateDac(*this);
  ValidateAdc(*this);
}

}  // namespace rxnn
