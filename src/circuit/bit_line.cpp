#include "circuit/bit_line.hpp"

namespace rxnn::circuit {

void AddBitLine(const double* g, int m, double sink_ohm, double bitline_ohm, double unit_ohm, double* a,
                std::ptrdiff_t stride, double* c, double* scratch) {
  // z_p: resistance from node p down to ground, without cell p. pass_p: share of a current arriving from above that
  // goes on downwards at node p instead of leaving through cell p.
  double* z = scratch;
  double* pass = scratch + m;
  for (int p = 0; p < m; ++p) {
    z[p] = p == 0 ? sink_ohm : bitline_ohm + z[p - 1] * pass[p - 1];
    pass[p] = 1 / (1 + z[p] * g[p]);
  }

  // From the top down. c[q], q > p: current that arrives at node p from above when u_q = 1 and all others are 0.
  double above = 0;  // conductance from node p upwards, without cell p
  for (int p = m - 1; p >= 0; --p) {
    const double leaves = g[p] * z[p] * pass[p];  // share of an arriving current that leaves through cell p
    const double factor = unit_ohm * leaves;
    double* row = a + p * stride;
    for (int q = p + 1; q < m; ++q) {
      row[q] += factor * c[q];
      c[q] *= pass[p];
    }
    const double h = g[p] + above;
    c[p] = g[p] / (1 + z[p] * h);
    above = h / (1 + bitline_ohm * h);
  }
}

}  // namespace rxnn::circuit
