// Multiply-accumulates per second of CrossbarMatrix::Multiply, beside those of cblas_sgemm on the same M, N, K in the
// same run. Every stream, slice and polarity counts: one crossbar product of 8 streams, 4 slices and 2 polarities is 64
// matrix products. Counters:
//   mac_per_s   multiply-accumulates of cells per second
//   of_sgemm    the same as a fraction of sgemm's of this shape          goal: 0.6
//   of_square   and of sgemm's of 1024 x 1024 x 1024, which small and narrow products leave behind
#include <benchmark/benchmark.h>
#include <cblas.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <random>
#include <vector>

#include "hwy/targets.h"
#include "rxnn/crossbar_matrix.hpp"

namespace rxnn {
namespace {

struct Shape {
  int vectors;  // M
  int outputs;  // N
  int inputs;   // K
};

std::vector<float> RandomFloats(std::int64_t count) {
  std::mt19937 engine(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

double Seconds(std::chrono::steady_clock::duration duration) { return std::chrono::duration<double>(duration).count(); }

// The best of several runs: a yardstick should not suffer from a busy machine.
double SgemmMacPerSecond(const Shape& shape) {
  const std::vector<float> a = RandomFloats(static_cast<std::int64_t>(shape.vectors) * shape.inputs);
  const std::vector<float> b = RandomFloats(static_cast<std::int64_t>(shape.inputs) * shape.outputs);
  std::vector<float> c(static_cast<std::size_t>(shape.vectors) * shape.outputs);
  const double macs = static_cast<double>(shape.vectors) * shape.outputs * shape.inputs;
  const int repeats = std::max(1, static_cast<int>(2e9 / macs));
  double best = 0;
  for (int trial = 0; trial < 5; ++trial) {
    const auto begin = std::chrono::steady_clock::now();
    for (int i = 0; i < repeats; ++i) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, shape.vectors, shape.outputs, shape.inputs, 1, a.data(),
                  shape.inputs, b.data(), shape.outputs, 0, c.data(), shape.outputs);
    }
    best = std::max(best, macs * repeats / Seconds(std::chrono::steady_clock::now() - begin));
  }
  return best;
}

void Run(benchmark::State& bench, const Hardware& hardware, double reads_per_product) {
  const Shape shape{static_cast<int>(bench.range(0)), static_cast<int>(bench.range(1)),
                    static_cast<int>(bench.range(2))};
  const double sgemm = SgemmMacPerSecond(shape);
  CrossbarMatrix matrix(hardware, "benchmark", 1, shape.inputs, shape.outputs);
  matrix.Program(RandomFloats(static_cast<std::int64_t>(shape.inputs) * shape.outputs).data());
  std::mt19937 engine(2);
  std::uniform_int_distribution<std::int32_t> code(0, hardware.max_input_code());
  std::vector<std::int32_t> codes(static_cast<std::size_t>(shape.vectors) * shape.inputs);
  for (std::int32_t& c : codes) c = code(engine);
  std::vector<double> sums(static_cast<std::size_t>(shape.vectors) * shape.outputs);

  const double macs = static_cast<double>(shape.vectors) * shape.outputs * shape.inputs * reads_per_product;
  double best = 0;
  for (auto _ : bench) {
    const auto begin = std::chrono::steady_clock::now();
    matrix.Multiply(0, codes.data(), shape.vectors, false, 0, sums.data());
    best = std::max(best, macs / Seconds(std::chrono::steady_clock::now() - begin));
    benchmark::ClobberMemory();
  }
  bench.counters["mac_per_s"] = best;
  bench.counters["of_sgemm"] = best / sgemm;
  bench.counters["of_square"] = best / SgemmMacPerSecond({1024, 1024, 1024});
}

// The default hardware: every column current passes an 8-bit converter that counts whole levels.
void BM_Converted(benchmark::State& bench) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.conductance_sigma = 0.05;
  Run(bench, hardware, static_cast<double>(hardware.num_streams()) * hardware.num_slices() * 2);
}

// The same on each instruction set that this machine has.
void BM_Target(benchmark::State& bench) {
  const std::int64_t target = std::int64_t{1} << bench.range(3);
  bench.SetLabel(hwy::TargetName(target));
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  BM_Converted(bench);
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// A coarse converter: codes are added as they come.
void BM_Coarse(benchmark::State& bench) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.conductance_sigma = 0.05;
  hardware.adc_bits = 6;
  Run(bench, hardware, static_cast<double>(hardware.num_streams()) * hardware.num_slices() * 2);
}

// Ideal converters: one matrix product, whatever the streams and slices.
void BM_Folded(benchmark::State& bench) {
  Hardware hardware;
  hardware.adc_bits = 0;
  hardware.wires = WireResistances();
  hardware.conductance_sigma = 0.05;
  Run(bench, hardware, 1);
}

// Vectors, outputs, inputs: one array, layers of SqueezeNet (fire2 squeeze and expand, conv10), an inner product.
void Shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"M", "N", "K"})->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(0.3);
  bench->Args({4096, 64, 64});
  bench->Args({3136, 16, 64});
  bench->Args({3136, 64, 144});
  bench->Args({196, 1000, 512});
  bench->Args({64, 4096, 1024});
}

BENCHMARK(BM_Converted)->Apply(Shapes);
BENCHMARK(BM_Target)->Apply([](benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"M", "N", "K", "target"})->Unit(benchmark::kMillisecond)->UseRealTime()->MinTime(0.3);
  for (int bit = 0; bit < 62; ++bit) {
    if ((hwy::SupportedTargets() & HWY_TARGETS) >> bit & 1) bench->Args({4096, 64, 64, bit});
  }
});
BENCHMARK(BM_Coarse)->Apply(Shapes);
BENCHMARK(BM_Folded)->Apply(Shapes);

}  // namespace
}  // namespace rxnn
