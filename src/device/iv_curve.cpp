#include "rxnn/iv_curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <stdexcept>

namespace rxnn {
namespace {

// The straight piece of a table that holds |v|.
struct Piece {
  double volt, value, slope;
};

Piece FindPiece(const IvCurve& curve, double magnitude) {
  const auto after = std::upper_bound(curve.volt.begin(), curve.volt.end(), magnitude);
  const std::size_t last = curve.volt.size() - 1;
  const std::size_t end = std::min<std::size_t>(after - curve.volt.begin(), last);
  const double volt = end == 0 ? 0 : curve.volt[end - 1];
  const double value = end == 0 ? 0 : curve.value[end - 1];
  return {volt, value, (curve.value[end] - value) / (curve.volt[end] - volt)};
}

void CheckRising(const char* name, const std::vector<double>& numbers) {
  for (std::size_t i = 0; i < numbers.size(); ++i) {
    const double before = i == 0 ? 0 : numbers[i - 1];
    if (std::isfinite(numbers[i]) && numbers[i] > before) continue;
    std::ostringstream message;
    message << name << "[" << i << "]: " << numbers[i] << " must be finite and above "
            << (i == 0 ? "0" : "the one before, ");
    if (i > 0) message << before;
    throw std::invalid_argument(message.str());
  }
}

}  // namespace

void IvCurve::Check() const {
  std::ostringstream message;
  if (!(std::isfinite(scale) && scale > 0)) {
    message << "scale of the I-V curve: " << scale << " is out of range, allowed is above 0";
  } else if (kind == Kind::kSinh && !(std::isfinite(v0_volt) && v0_volt > 0)) {
    message << "curve_v0_volt: " << v0_volt << " is out of range, allowed is above 0";
  } else if (kind == Kind::kTable && (volt.empty() || volt.size() != value.size())) {
    message << "curve_volt and curve_ampere: " << volt.size() << " and " << value.size()
            << " values, expected as many of one as of the other, at least 1";
  }
  if (!message.str().empty()) throw std::invalid_argument(message.str());
  if (kind != Kind::kTable) return;
  CheckRising("curve_volt", volt);
  CheckRising("curve_ampere", value);
}

double IvCurve::Current(double v) const {
  switch (kind) {
    case Kind::kLinear:
      return scale * v;
    case Kind::kSinh:
      return scale * v0_volt * std::sinh(v / v0_volt);
    case Kind::kTable: {
      const Piece piece = FindPiece(*this, std::fabs(v));
      return scale * std::copysign(piece.value + (std::fabs(v) - piece.volt) * piece.slope, v);
    }
  }
  return v;
}

double IvCurve::Slope(double v) const {
  switch (kind) {
    case Kind::kLinear:
      return scale;
    case Kind::kSinh:
      return scale * std::cosh(v / v0_volt);
    case Kind::kTable:
      return scale * FindPiece(*this, std::fabs(v)).slope;
  }
  return 1;
}

CellPoint EvaluateCell(const IvCurve& curve, double g, double series_ohm, double v) {
  double device = v;
  if (series_ohm > 0 && g > 0 && v != 0) {
    // device + R g f(device) = v rises with device, from 0 to beyond v: Newton, halving the interval where it leaves
    // it.
    double low = std::min(0.0, v), high = std::max(0.0, v);
    constexpr int kMost = 200;
    for (int i = 0; i < kMost; ++i) {
      const double excess = device + series_ohm * g * curve.Current(device) - v;
      (excess > 0 ? high : low) = device;
      double next = device - excess / (1 + series_ohm * g * curve.Slope(device));
      if (!(next >= low && next <= high)) next = low + (high - low) / 2;
      const bool done = std::fabs(next - device) <= 1e-16 * std::fabs(v);
      device = next;
      if (done) break;
    }
  }
  const double slope = g * curve.Slope(device);
  return {g * curve.Current(device), slope / (1 + series_ohm * slope), device};
}

}  // namespace rxnn
