// Voltages across the cells of an array, for many input vectors at once.
#pragma once

#include <cstddef>
#include <vector>

#include "circuit/array_sweep.hpp"

namespace rxnn::circuit {

// Workspace for arrays of one shape and as many input vectors. Not thread-safe: one per thread. Holds the inverses of
// all steps of the sweep, 8 s^2 L bytes with the sides s and L as ArraySweep chooses them.
//
// Method: on the way towards the drivers the sweep leaves P of every step, and q, the currents that the sources passed
// so far send out of the terminals when these are grounded: q <- P q behind a resistance, and q gains c V at a line
// that ends in a source. On the way back the terminal voltages before a resistance r follow from those behind it,
//   U_j = P_j (U_{j-1} + r q_j),
// and in every line the nodes follow from the terminals (docs/physics.md, "Voltages").
class ArrayPotentials {
 public:
  ArrayPotentials(int rows, int cols, const WireResistances& wires, int count);

  // g: rows x cols, siemens; volts: count x rows; across: count x rows x cols, word line minus bit line, volt.
  void Solve(const double* g, const double* volts, double* across);

 private:
  void SweepSources(const double* volts);
  void SetNearTerminals(const double* volts);
  void SolveLine(int line, const double* volts, double* across);
  void MultiplyByInverse(int step, Numbers* x);
  double Volt(const double* volts, int row, int vector) const {
    return volts[static_cast<std::ptrdiff_t>(vector) * rows_ + row];
  }

  const int rows_;
  const int cols_;
  const int count_;
  const int padded_count_;
  ArraySweep sweep_;
  SweepRecord record_;
  const SweepFrame& frame_;
  const int padded_;
  const std::ptrdiff_t vectors_;  // padded_ x padded_count_: a number for every terminal and input vector
  Numbers sent_;                  // q before every step
  Numbers terminal_volts_;        // q, then U, at the line reached
  Numbers product_;
  std::vector<double> arriving_;     // s of the nodes of a line
  std::vector<double> below_;        // h of the nodes of a line
  std::vector<double> chain_volts_;  // at the line's source, and at the node reached
  std::vector<double> g_eq_;
};

}  // namespace rxnn::circuit
