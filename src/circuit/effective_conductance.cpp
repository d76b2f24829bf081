// Fixed point: cell voltages of the linear array <-> conductances that fit the cells at these voltages.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "circuit/array_potentials.hpp"
#include "circuit/check_array.hpp"
#include "rxnn/circuit.hpp"

namespace rxnn {
namespace {

// sum I v / sum v^2 over `count` voltages, `stride` apart; a cell that sees none has its slope at 0 V.
double FitConductance(const IvCurve& curve, double g, double series_ohm, const double* volts, int count,
                      std::ptrdiff_t stride) {
  double power = 0;
  double squares = 0;
  for (int k = 0; k < count; ++k) {
    const double v = volts[k * stride];
    power += EvaluateCell(curve, g, series_ohm, v).current * v;
    squares += v * v;
  }
  return squares > 0 ? power / squares : EvaluateCell(curve, g, series_ohm, 0).slope;
}

}  // namespace

SolveSummary EffectiveConductance(const double* g, int rows, int cols, const WireResistances& wires,
                                  const CellModel& cell, const double* volts, int count, double* g_eff) {
  circuit::CheckArray(rows, cols, wires);
  circuit::CheckCells(g, 1, rows, cols);
  circuit::CheckCellModel(cell, rows);
  circuit::CheckVolts(volts, count, rows);
  if (count < 1 || std::max(rows, cols) > kMaxCurvedSide) {
    std::ostringstream message;
    message << "effective conductances of " << rows << " x " << cols << " cells under " << count
            << " input vectors: expected at least 1 vector and at most " << kMaxCurvedSide << " rows and columns";
    throw std::invalid_argument(message.str());
  }
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(rows) * cols;
  const std::vector<double> devices(g, g + cells);
  const auto series = [&](std::ptrdiff_t at) { return cell.series_ohm.empty() ? 0 : cell.series_ohm[at / cols]; };

  // At first every cell sees its row's whole voltage.
  for (std::ptrdiff_t at = 0; at < cells; ++at) {
    g_eff[at] = FitConductance(cell.curve, devices[at], series(at), volts + at / cols, count, rows);
  }
  constexpr int kMostIterations = 100;
  constexpr double kTolerance = 1e-7;
  SolveSummary summary;
  std::vector<double> across(count * cells);
  circuit::ArrayPotentials potentials(rows, cols, wires, count);
  while (summary.iterations < kMostIterations && !summary.converged) {
    ++summary.iterations;
    circuit::CheckCells(g_eff, 1, rows, cols);
    potentials.Solve(g_eff, volts, across.data());
    summary.residual = 0;
    for (std::ptrdiff_t at = 0; at < cells; ++at) {
      const double fitted = FitConductance(cell.curve, devices[at], series(at), across.data() + at, count, cells);
      if (fitted > 0) summary.residual = std::max(summary.residual, std::fabs(fitted - g_eff[at]) / fitted);
      g_eff[at] = fitted;
    }
    summary.converged = summary.residual <= kTolerance;
  }
  std::ostringstream message;
  if (summary.converged) {
    message << "converged";
  } else {
    message << "effective conductances did not converge: " << summary.iterations << " iterations, relative change "
            << summary.residual << ", expected at most " << kTolerance;
  }
  summary.message = message.str();
  return summary;
}

}  // namespace rxnn
