// Extraction of the equivalent conductance: time per array on one core, how it compares with the reference (nodal
// analysis with a sparse direct solver in extended precision, all inputs at once), and arrays per second on all cores.
// Goals on one AVX-512 core: under 1.5 ms for 64 x 64.
#include <benchmark/benchmark.h>

#include <chrono>
#include <cmath>
#include <random>
#include <vector>

#include "rxnn/circuit.hpp"

namespace rxnn {
namespace {

const WireResistances kWires{500, 100, 2.5, 2.5};

// Cells of 100 kohm to 1 Mohm.
std::vector<double> RandomCells(int count) {
  std::mt19937_64 engine(1);
  std::uniform_real_distribution<double> decades(-6, -5);
  std::vector<double> g(count);
  for (double& value : g) value = std::pow(10, decades(engine));
  return g;
}

double ReferenceSeconds(const std::vector<double>& g, int size) {
  std::vector<double> g_eq(g.size());
  const auto start = std::chrono::steady_clock::now();
  EquivalentConductanceReference(g.data(), size, size, kWires, g_eq.data());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void OneArray(benchmark::State& state) {
  const int size = static_cast<int>(state.range(0));
  const auto g = RandomCells(size * size);
  std::vector<double> g_eq(g.size());
  const auto start = std::chrono::steady_clock::now();
  for (auto _ : state) {
    EquivalentConductance(g.data(), size, size, kWires, g_eq.data());
    benchmark::DoNotOptimize(g_eq.data());
  }
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count() / state.iterations();
  state.counters["reference_ms"] = 1e3 * ReferenceSeconds(g, size);
  state.counters["reference_over_this"] = state.counters["reference_ms"] / (1e3 * seconds);
}
BENCHMARK(OneArray)->Arg(16)->Arg(32)->Arg(64)->Arg(128)->Unit(benchmark::kMillisecond);

void Batch(benchmark::State& state) {
  const int size = static_cast<int>(state.range(0));
  constexpr int kCount = 64;
  const auto g = RandomCells(kCount * size * size);
  std::vector<double> g_eq(g.size());
  for (auto _ : state) {
    EquivalentConductanceBatch(g.data(), kCount, size, size, kWires, g_eq.data());
    benchmark::DoNotOptimize(g_eq.data());
  }
  state.SetItemsProcessed(state.iterations() * kCount);
}
BENCHMARK(Batch)->Arg(64)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace rxnn
