#include "periphery/adc_bank.hpp"

#include <algorithm>
#include <cmath>

#include "periphery/curves.hpp"

namespace rxnn {
namespace {

// Half to even, as std::nearbyint, which is a call on processors that have no instruction for it: adding 1.5 2^52
// leaves no bits below 1. For |x| < 2^51; what is larger is far beyond any range and stays so.
double Round(double x) {
  constexpr double kNoFractions = 0x1.8p52;
  return std::fabs(x) < 0x1p51 ? (x + kNoFractions) - kNoFractions : x;
}

}  // namespace

AdcBank::AdcBank(const Hardware& hardware, const Adc& ideal, const ChipRandom& random)
    : flaws_(hardware.adc_flaws),
      ideal_(ideal),
      steps_(ideal.code_max - ideal.code_min),
      straight_(flaws_.polynomial.empty() && flaws_.inl_lsb == 0 && flaws_.transition_lsb.empty() &&
                flaws_.dnl_sigma_lsb == 0),
      random_(random) {}

AdcBank::Column AdcBank::MakeColumn(std::uint32_t array, int col) const {
  Column column;
  column.array = array;
  column.col = col;
  column.gain = 1 + flaws_.gain_error;
  if (flaws_.gain_sigma > 0) column.gain += flaws_.gain_sigma * random_.Normal(Draw::kAdcGain, array, col);
  column.offset_lsb = flaws_.offset_lsb;
  if (flaws_.offset_sigma_lsb > 0) {
    column.offset_lsb += flaws_.offset_sigma_lsb * random_.Normal(Draw::kAdcOffset, array, col);
  }
  return column;
}

double AdcBank::Convert(const Column& column, double current, double normal, ConversionCounts* counts) const {
  if (ideal_.bits == 0) return current;
  const double x = current * (1 / ideal_.lsb) * column.gain + column.offset_lsb + flaws_.noise_sigma_lsb * normal;
  const double nearest = Round(x);
  counts->low += nearest < ideal_.code_min;
  counts->high += nearest > ideal_.code_max;
  const double code = Code(column, Transfer(x));
  return std::clamp(code, ideal_.code_min, ideal_.code_max) * ideal_.lsb;
}

AdcBank::Columns AdcBank::MakeColumns(std::uint32_t array, int first_col, int count) const {
  Columns columns;
  for (int j = 0; j < count; ++j) {
    columns.each.push_back(MakeColumn(array, first_col + j));
    columns.gain.push_back(columns.each.back().gain);
    columns.offset_lsb.push_back(columns.each.back().offset_lsb);
  }
  return columns;
}

void AdcBank::ConvertRead(const Columns& columns, const double* currents, double share, const double* normals,
                          double weight, bool whole_levels, double* sums, ConversionCounts* counts) const {
  const int count = static_cast<int>(columns.each.size());
  if (!straight_ || ideal_.bits == 0) {
    for (int j = 0; j < count; ++j) {
      const double normal = normals == nullptr ? 0 : normals[j];
      const double levels = Convert(columns.each[j], currents[j] + share, normal, counts) - share;
      sums[j] += weight * (whole_levels ? Round(levels) : levels);
    }
    return;
  }
  // Without a branch, for the vectors of the compiler.
  const double per_lsb = 1 / ideal_.lsb;
  const double* gain = columns.gain.data();
  const double* offset = columns.offset_lsb.data();
  double low = 0, high = 0;
  for (int j = 0; j < count; ++j) {
    double x = (currents[j] + share) * per_lsb * gain[j] + offset[j];
    if (normals != nullptr) x += flaws_.noise_sigma_lsb * normals[j];
    const double nearest = Round(x);
    low += nearest < ideal_.code_min ? 1.0 : 0.0;
    high += nearest > ideal_.code_max ? 1.0 : 0.0;
    const double code = std::min(std::max(nearest, ideal_.code_min), ideal_.code_max);
    const double levels = code * ideal_.lsb - share;
    sums[j] += weight * (whole_levels ? Round(levels) : levels);
  }
  counts->low += static_cast<std::int64_t>(low);
  counts->high += static_cast<std::int64_t>(high);
}

// Polynomial and bow over the range, lsb from zero current.
double AdcBank::Transfer(double x) const {
  if (flaws_.polynomial.empty() && flaws_.inl_lsb == 0) return x;
  const double t = std::clamp((x - ideal_.code_min) / steps_, 0.0, 1.0);
  const double bent =
      flaws_.polynomial.empty() ? x - ideal_.code_min : steps_ * EvaluatePolynomial(flaws_.polynomial, t);
  return ideal_.code_min + bent + flaws_.inl_lsb * Bow(t);
}

// The code whose transitions enclose x.
double AdcBank::Code(const Column& column, double x) const {
  if (flaws_.transition_lsb.empty() && flaws_.dnl_sigma_lsb == 0) return Round(x);
  const double above = x - ideal_.code_min;  // the lowest code
  const auto most = static_cast<std::int64_t>(steps_);
  std::int64_t code;
  if (flaws_.transition_lsb.empty()) {
    code = static_cast<std::int64_t>(std::clamp(Round(above), 0.0, steps_));
  } else {
    const auto& transitions = flaws_.transition_lsb;
    code = std::upper_bound(transitions.begin(), transitions.end(), above) - transitions.begin();
  }
  if (flaws_.dnl_sigma_lsb > 0) {
    // Shifted transitions: first down past those that x no longer reaches, else up past those that it does.
    const std::int64_t start = code;
    while (code > 0 && above < Transition(column, code - 1)) --code;
    while (code >= start && code < most && above >= Transition(column, code)) ++code;
  }
  return ideal_.code_min + static_cast<double>(code);
}

// From `lower_code` to the next one, lsb above the lowest code. The width of a code is the difference of two.
double AdcBank::Transition(const Column& column, std::int64_t lower_code) const {
  const double place = flaws_.transition_lsb.empty() ? lower_code + 0.5 : flaws_.transition_lsb[lower_code];
  const std::uint64_t index = static_cast<std::uint64_t>(column.col) << 24 | static_cast<std::uint64_t>(lower_code);
  return place + flaws_.dnl_sigma_lsb / std::sqrt(2.0) * random_.Normal(Draw::kAdcTransition, column.array, index);
}

}  // namespace rxnn
