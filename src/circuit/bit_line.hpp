// One bit line as a chain of resistances, eliminated down to its word-line terminals.
#pragma once

#include <cstddef>

namespace rxnn::circuit {

// A bit line with `m` nodes, counted from its near end: cell p joins node p to word-line terminal u_p, a segment joins
// nodes p and p + 1, and sense amplifiers lead from an end to virtual ground, one at least.
struct BitLine {
  int m = 0;
  const double* g = nullptr;             // m cells, siemens
  const double* segments_ohm = nullptr;  // m - 1
  double sink_ohm = 0;
  bool near_sensed = true;  // at node 0
  bool far_sensed = false;  // at node m - 1
};

// Seen from its terminals the bit line is the admittance S (i = S u), whose off-diagonal entries are -s_pq, s >= 0, and
// whose row sums are the transfers c to the sense amplifiers (I = c^T u, the sum over both where there are two).
//
// Adds unit_ohm s_pq to a[p * stride + q] for q > p and writes c. Only adds, multiplies and divides non-negative
// numbers, so every s_pq and c_p has a relative error of O(m eps), whatever the resistances; each may be 0. Equations:
// docs/physics.md, "One bit line". `scratch` holds kBitLineScratch * m numbers.
constexpr int kBitLineScratch = 4;
void AddBitLine(const BitLine& line, double unit_ohm, double* a, std::ptrdiff_t stride, double* c, double* scratch);

}  // namespace rxnn::circuit
