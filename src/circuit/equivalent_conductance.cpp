#include <omp.h>

#include <algorithm>
#include <cstddef>
#include <vector>

#include "circuit/array_sweep.hpp"
#include "circuit/check_array.hpp"
#include "rxnn/circuit.hpp"

namespace rxnn {

void EquivalentConductance(const double* g, int rows, int cols, const WireResistances& wires, double* g_eq) {
  circuit::CheckArray(rows, cols, wires);
  circuit::CheckCells(g, 1, rows, cols);
  circuit::ArraySweep(rows, cols, wires).Extract(g, g_eq);
}

void EquivalentConductanceBatch(const double* g, int count, int rows, int cols, const WireResistances& wires,
                                double* g_eq) {
  circuit::CheckArray(rows, cols, wires);
  circuit::CheckCells(g, count, rows, cols);
  // Made before the threads start, so that running out of memory is an exception here.
  std::vector<circuit::ArraySweep> sweeps;
  const int threads = std::max(1, std::min(count, omp_get_max_threads()));
  for (int i = 0; i < threads; ++i) sweeps.emplace_back(rows, cols, wires);

  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(rows) * cols;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int i = 0; i < count; ++i) sweeps[omp_get_thread_num()].Extract(g + i * cells, g_eq + i * cells);
}

}  // namespace rxnn
