// One bit line as a chain of resistances, eliminated down to its word-line terminals.
#pragma once

#include <cstddef>

namespace rxnn::circuit {

// A bit line with cells g_0 .. g_{m-1}, counted from the sense amplifier upwards: R_sink (`sink_ohm`) leads from node 0
// to virtual ground, R_bitline (`bitline_ohm`) joins nodes p and p + 1, and cell p joins node p to word-line terminal
// u_p. Seen from its terminals the bit line is the admittance S (i = S u), whose off-diagonal entries are -s_pq, s >=
// 0, and whose row sums are the transfers c to the sense amplifier (I = c^T u).
//
// Adds unit_ohm s_pq to a[p * stride + q] for q > p and writes c. Only adds, multiplies and divides non-negative
// numbers by numbers of at least 1, so every s_pq and c_p has a relative error of O(m eps), whatever the resistances;
// each may be 0. Equations: docs/physics.md, "One bit line". `scratch` holds 2 m numbers.
void AddBitLine(const double* g, int m, double sink_ohm, double bitline_ohm, double unit_ohm, double* a,
                std::ptrdiff_t stride, double* c, double* scratch);

}  // namespace rxnn::circuit
