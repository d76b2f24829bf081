// The array as a linear circuit. Row i is driven by V_i behind R_source, column j ends in R_sink at virtual ground,
// cell (i, j) joins word-line node u_ij and bit-line node w_ij; neighbouring nodes are joined by R_wordline and
// R_bitline. WireResistances says at which ends lines are driven and sensed. With linear cells the sensed currents are
// I = G_eq^T V: G_eq depends on cells and wires only (docs/physics.md).
#pragma once

#include <stdexcept>
#include <string>
#include <vector>

#include "rxnn/hardware.hpp"
#include "rxnn/iv_curve.hpp"

namespace rxnn {

// The equivalent conductance matrix of one array, exact to rounding.
//   g, g_eq: rows x cols, row-major, siemens; g_eq may be g. Cells are 0 to 1e6 S, resistances 0 to 1e15 ohm, rows and
//   cols 1 to 4096; anything else throws std::invalid_argument.
// Method: every bit line is eliminated down to the word lines, and the word lines are swept from their far end to the
// drivers; or the mirrored array is, where that is less work. Nothing is subtracted and nothing is divided by a wire's
// resistance, so every entry is accurate to about 1e-13 of itself, whatever the resistances, and a resistance of 0 is
// no special case. L (s^3 + s^2 L) flops, s = min(rows, cols), L = max(rows, cols); up to twice as many where both
// kinds of line end at both sides or alternate.
void EquivalentConductance(const double* g, int rows, int cols, const WireResistances& wires, double* g_eq);

// The same for `count` arrays that follow each other in memory, shared out over the OpenMP threads. Every array comes
// out bit for bit as from EquivalentConductance.
void EquivalentConductanceBatch(const double* g, int count, int rows, int cols, const WireResistances& wires,
                                double* g_eq);

// The slow truth: nodal analysis of the whole circuit with a general sparse solver in extended precision, nodes joined
// by 0 ohm merged. Same arguments and result. It stamps 1 / resistance, so its relative accuracy is about 1e-19 times
// the ratio of the largest wire to the smallest cell conductance.
void EquivalentConductanceReference(const double* g, int rows, int cols, const WireResistances& wires, double* g_eq);

// The whole solution for one input vector: the voltages at the word-line and bit-line nodes of every cell.
//   volts: rows driver voltages, volt; word, bit: rows x cols, row-major, volt.
// The column currents are sum_i g_ij (word_ij - bit_ij). Nodal analysis as in EquivalentConductanceReference, with its
// accuracy and its limits on arguments; a voltage that is not finite throws std::invalid_argument too.
void NodeVoltages(const double* g, int rows, int cols, const WireResistances& wires, const double* volts, double* word,
                  double* bit);

// What became of an iteration that may not converge.
struct SolveSummary {
  bool converged = false;
  int iterations = 0;
  double residual = 0;  // what is left, in the unit that the solver states
  std::string message;  // "converged", or why not, with iterations and residual
};

// Thrown by those who need a solution and got none; what() says where, why, iterations and residual.
class SolveError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

struct SolveOptions {
  int max_iterations = 200;
  double tolerance = 1e-12;  // largest change of a voltage in the last iteration, relative to the largest input
};

// The array with cells of any rising I-V curve, exactly, for `count` input vectors: Newton's method on all node
// voltages, damped by halving steps until the imbalance of currents falls. The slow truth for cells that are not
// linear.
//   volts: count x rows; currents: count x cols, ampere; word, bit: count x rows x cols, volt, or null.
// Vectors are shared out over the OpenMP threads. One summary for each; its residual is the largest current, ampere,
// that does not balance at a node. Where it did not converge, the results are those of the last iteration. Throws
// std::invalid_argument for arguments that cannot be.
std::vector<SolveSummary> SolveArray(const double* g, int rows, int cols, const WireResistances& wires,
                                     const CellModel& cell, const double* volts, int count, const SolveOptions& options,
                                     double* currents, double* word, double* bit);

// The linear array that stands for one of other cells around an operating point: for every cell the conductance
//   g_eff = sum_k I(v_k) v_k / sum_k v_k^2
// that fits its currents best (least squares) over the voltages v_k that it sees under `count` calibration inputs, in
// the array of these very conductances: iterated until no conductance moves by more than 1e-7 of itself. Series
// resistances are in g_eff, which may be g. The residual of the summary is the largest relative change left.
//   volts: count x rows. Sides up to kMaxCurvedSide.
SolveSummary EffectiveConductance(const double* g, int rows, int cols, const WireResistances& wires,
                                  const CellModel& cell, const double* volts, int count, double* g_eff);

constexpr int kMaxCurvedSide = 512;

}  // namespace rxnn
