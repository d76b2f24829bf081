// Multiply-accumulates per second of CrossbarMatrix::Multiply against cblas_sgemm (OpenBLAS) on the same M, N, K. Every
// stream, slice and polarity counts: one crossbar product of 8 streams, 4 slices and 2 polarities is 64 matrix
// products.
//
// The two take turns, and of each the best turn counts, in processor time of all threads: a machine that others use
// slows both. OMP_NUM_THREADS sets the threads of both. Counters:
//   gmac_per_s  10^9 multiply-accumulates of cells per second of one thread
//   of_sgemm    the same over sgemm's of this shape
//   goal        what of_sgemm should be
#include <benchmark/benchmark.h>
#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>
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

// Of all threads.
double ProcessorSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

class Sgemm {
 public:
  explicit Sgemm(const Shape& shape)
      : shape_(shape),
        a_(RandomFloats(static_cast<std::int64_t>(shape.vectors) * shape.inputs)),
        b_(RandomFloats(static_cast<std::int64_t>(shape.inputs) * shape.outputs)),
        c_(static_cast<std::size_t>(shape.vectors) * shape.outputs) {}

  void Run() {
    cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, shape_.vectors, shape_.outputs, shape_.inputs, 1, a_.data(),
                shape_.inputs, b_.data(), shape_.outputs, 0, c_.data(), shape_.outputs);
  }

 private:
  Shape shape_;
  std::vector<float> a_, b_, c_;
};

// `reads`: products of the shape that one crossbar product stands for.
void Run(benchmark::State& bench, const Hardware& hardware, int reads, double goal) {
  const Shape shape{static_cast<int>(bench.range(0)), static_cast<int>(bench.range(1)),
                    static_cast<int>(bench.range(2))};
  CrossbarMatrix matrix(hardware, "benchmark", 1, shape.inputs, shape.outputs);
  matrix.Program(RandomFloats(static_cast<std::int64_t>(shape.inputs) * shape.outputs).data());
  std::mt19937 engine(2);
  std::uniform_int_distribution<std::int32_t> code(0, hardware.max_input_code());
  std::vector<std::int32_t> codes(static_cast<std::size_t>(shape.vectors) * shape.inputs);
  for (std::int32_t& c : codes) c = code(engine);
  std::vector<double> sums(static_cast<std::size_t>(shape.vectors) * shape.outputs);
  if (matrix.needs_calibration()) matrix.SetAdcRange(matrix.ObserveCurrents(0, codes.data(), shape.vectors, false));
  Sgemm sgemm(shape);

  const double macs = static_cast<double>(shape.vectors) * shape.outputs * shape.inputs;
  double best = std::numeric_limits<double>::infinity();
  double best_sgemm = best;
  for (auto _ : bench) {
    double start = ProcessorSeconds();
    matrix.Multiply(0, codes.data(), shape.vectors, false, 0, sums.data());
    const double seconds = ProcessorSeconds() - start;
    benchmark::ClobberMemory();
    bench.SetIterationTime(seconds);
    best = std::min(best, seconds);
    // Turns of about the same length.
    const int repeats = std::clamp(static_cast<int>(2e8 / macs), 1, 100);
    start = ProcessorSeconds();
    for (int i = 0; i < repeats; ++i) sgemm.Run();
    best_sgemm = std::min(best_sgemm, (ProcessorSeconds() - start) / repeats);
  }
  bench.counters["gmac_per_s"] = 1e-9 * macs * reads / best;
  bench.counters["of_sgemm"] = best_sgemm * reads / best;
  if (goal > 0) bench.counters["goal"] = goal;
}

// Cells vary, as they do behind wires: levels are real numbers.
Hardware VariedCells() {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.conductance_sigma = 0.05;
  return hardware;
}

// 8 one-bit streams and an 8-bit converter that counts whole levels: read from tables.
void BM_OneBitStreams(benchmark::State& bench) { Run(bench, VariedCells(), 64, 3.0); }

// The same with a converter whose step is above one level.
void BM_OneBitStreamsCoarse(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.adc_bits = 6;
  Run(bench, hardware, 64, 3.0);
}

// 6-bit digits in one stream, twins subtracted as currents, an 8-bit converter: blocked products.
void BM_MultiBitStream(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.weight_bits = 6;
  hardware.cell_bits = 5;
  hardware.input_bits = 6;
  hardware.dac_bits = 6;
  hardware.subtraction = Subtraction::kAnalog;
  hardware.adc_range = AdcRange::kCalibrated;
  Run(bench, hardware, 1, 0.8);
}

// Two streams of 4 bits on every array of 4 slices and 2 polarities.
void BM_MultiBitStreams(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.dac_bits = 4;
  hardware.adc_bits = 8;
  Run(bench, hardware, 16, 0.8);
}

// Ideal converters: one product, whatever the streams and slices.
void BM_Folded(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.adc_bits = 0;
  Run(bench, hardware, 1, 0.9);
}

// BM_OneBitStreams on each instruction set that this machine has.
void BM_Target(benchmark::State& bench) {
  const std::int64_t target = std::int64_t{1} << bench.range(3);
  bench.SetLabel(hwy::TargetName(target));
  hwy::SetSupportedTargetsForTest(target);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  Run(bench, VariedCells(), 64, 0);
  hwy::SetSupportedTargetsForTest(0);
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
}

// Vectors, outputs, inputs: one array, layers of SqueezeNet (fire2 squeeze and expand, conv10), an inner product.
void Shapes(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"M", "N", "K"})->Unit(benchmark::kMillisecond)->UseManualTime()->MinTime(0.3);
  bench->Args({4096, 64, 64});
  bench->Args({3136, 16, 64});
  bench->Args({3136, 64, 144});
  bench->Args({196, 1000, 512});
  bench->Args({64, 4096, 1024});
}

void Targets(benchmark::internal::Benchmark* bench) {
  bench->ArgNames({"M", "N", "K", "target"})->Unit(benchmark::kMillisecond)->UseManualTime()->MinTime(0.3);
  for (int bit = 0; bit < 62; ++bit) {
    if ((hwy::SupportedTargets() & HWY_TARGETS) >> bit & 1) bench->Args({4096, 64, 64, bit});
  }
}

BENCHMARK(BM_OneBitStreams)->Apply(Shapes);
BENCHMARK(BM_OneBitStreamsCoarse)->Apply(Shapes);
BENCHMARK(BM_MultiBitStream)->Apply(Shapes);
BENCHMARK(BM_MultiBitStreams)->Apply(Shapes);
BENCHMARK(BM_Folded)->Apply(Shapes);
BENCHMARK(BM_Target)->Apply(Targets);

}  // namespace
}  // namespace rxnn
