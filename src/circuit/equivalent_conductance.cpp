#include <omp.h>

#include <algorithm>
#include <vector>

#include "circuit/array_sweep.hpp"
#include "circuit/check_array.hpp"
#include "rxnn/circuit.hpp"

namespace rxnn {

void EquivalentConductance(const double* g, int rows, int cols, const WireResistances& wires, double* g_eq) {
  circuit::CheckArrays(g, 1, rows, cols, wires);
  circuit::ArraySweep(rows, cols, wires).Extract(g, g_eq);
}

void EquivalentConductanceBatch(const double* g, int count, int rows, int cols, const WireResistances& wires,
                                double* g_eq) {
  if (count == 0) return;
  circuit::CheckArrays(g, count, rows, cols, wires);
  // Made before the threads start, so that running out of memory is an exception here.
  std::vector<circuit::ArraySweep> sweeps;
  const int threads = std::min(count, omp_get_max_threads());
  for (int i = 0; i < threads; ++i) sweeps.emplace_back(rows, cols, wires);

  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(rows) * cols;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int i = 0; i < count; ++i) sweeps[omp_get_thread_num()].Extract(g + i * cells, g_eq + i * cells);
}

}  // namespace rxnn
