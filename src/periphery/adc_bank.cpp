#include "periphery/adc_bank.hpp"

#include <algorithm>
#include <cmath>

#include "periphery/curves.hpp"

namespace rxnn {

AdcBank::AdcBank(const Hardware& hardware, const Adc& ideal, const ChipRandom& random)
    : flaws_(hardware.adc_flaws), ideal_(ideal), steps_(ideal.code_max - ideal.code_min), random_(random) {}

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
  const double nearest = std::nearbyint(x);
  counts->low += nearest < ideal_.code_min;
  counts->high += nearest > ideal_.code_max;
  const double code = Code(column, Transfer(x));
  return std::clamp(code, ideal_.code_min, ideal_.code_max) * ideal_.lsb;
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
  if (flaws_.transition_lsb.empty() && flaws_.dnl_sigma_lsb == 0) return std::nearbyint(x);
  const double above = x - ideal_.code_min;  // the lowest code
  const auto most = static_cast<std::int64_t>(steps_);
  std::int64_t code;
  if (flaws_.transition_lsb.empty()) {
    code = static_cast<std::int64_t>(std::clamp(std::nearbyint(above), 0.0, steps_));
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
