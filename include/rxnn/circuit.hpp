// The array as a linear circuit. Row i is driven by V_i behind R_source, column j ends in R_sink at virtual ground,
// cell (i, j) joins word-line node u_ij and bit-line node w_ij; neighbouring nodes are joined by R_wordline and
// R_bitline. With linear cells the sensed currents are I = G_eq^T V: G_eq depends on cells and wires only
// (docs/physics.md).
#pragma once

#include "rxnn/hardware.hpp"

namespace rxnn {

// The equivalent conductance matrix of one array, exact to rounding (1e-9 relative of a sparse direct solve).
//   g, g_eq: rows x cols, row-major, siemens; g >= 0 and finite. g_eq may be g.
// Method: elimination of bit lines, then a recursion over columns (or rows, whichever is shorter to eliminate), written
// with resistances so that nothing cancels and a resistance of 0 is no special case. O(cols rows^2 min) double
// precision. Throws std::invalid_argument for a negative or non-finite conductance or resistance, or an empty array.
void EquivalentConductance(const double* g, int rows, int cols, const WireResistances& wires, double* g_eq);

// The same for `count` arrays that follow each other in memory, on all cores.
void EquivalentConductanceBatch(const double* g, int count, int rows, int cols, const WireResistances& wires,
                                double* g_eq);

// The slow truth: nodal analysis of the whole circuit with a general sparse solver, one solve for all inputs. Same
// arguments and result. Nodes joined by a resistance of 0 are merged.
void EquivalentConductanceReference(const double* g, int rows, int cols, const WireResistances& wires, double* g_eq);

}  // namespace rxnn
