// From devices to the linear cells that stand for them in an array.
#include <cmath>
#include <cstddef>
#include <vector>

#include "rxnn/circuit.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/device.hpp"
#include "rxnn/periphery.hpp"

namespace rxnn {
namespace {

// Random digits on the rows in use, as volts: curve_inputs x rows. The same for all arrays of a layer.
std::vector<double> CurveInputs(const Hardware& hardware, const ChipRandom& random, int used_rows) {
  std::vector<double> volts(static_cast<std::size_t>(hardware.curve_inputs) * hardware.rows, 0.0);
  for (int k = 0; k < hardware.curve_inputs; ++k) {
    for (int i = 0; i < used_rows; ++i) {
      const std::size_t at = static_cast<std::size_t>(k) * hardware.rows + i;
      const int digit = static_cast<int>(std::ldexp(random.Uniform(Draw::kCurveInput, 0, at), hardware.dac_bits));
      volts[at] = DacVoltage(hardware, digit);
    }
  }
  return volts;
}

}  // namespace

void MakeLinearCells(const Hardware& hardware, const ChipRandom& random, int used_rows, double* g) {
  if (hardware.linear_cells()) {
    AddAccessTransistors(hardware, used_rows, g);
    return;
  }
  const CellModel cell{CellCurve(hardware), AccessResistances(hardware, used_rows)};
  const std::vector<double> volts = CurveInputs(hardware, random, used_rows);
  const SolveSummary summary = EffectiveConductance(g, hardware.rows, hardware.cols, hardware.wires, cell, volts.data(),
                                                    hardware.curve_inputs, g);
  if (!summary.converged) throw SolveError(summary.message);
}

}  // namespace rxnn
