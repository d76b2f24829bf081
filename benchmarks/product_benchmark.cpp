// CrossbarMatrix::Multiply, from codes to sums, against sgemm on the same M, N, K. Every stream, slice and polarity
// counts: one crossbar product of 8 streams, 4 slices and 2 polarities is 64 matrix products.
#include <benchmark/benchmark.h>

#include <cstdint>
#include <random>
#include <vector>

#include "benchmarks/against_sgemm.hpp"
#include "rxnn/crossbar_matrix.hpp"

namespace rxnn {
namespace {

// `reads`: products of the shape that one crossbar product stands for.
void Run(benchmark::State& bench, const Hardware& hardware, int reads) {
  const int vectors = static_cast<int>(bench.range(0));
  const int outputs = static_cast<int>(bench.range(1));
  const int inputs = static_cast<int>(bench.range(2));
  CrossbarMatrix matrix(hardware, "benchmark", 1, inputs, outputs);
  matrix.Program(RandomFloats(static_cast<std::int64_t>(inputs) * outputs).data());
  std::mt19937 engine(2);
  std::uniform_int_distribution<std::int32_t> code(0, hardware.max_input_code());
  std::vector<std::int32_t> codes(static_cast<std::size_t>(vectors) * inputs);
  for (std::int32_t& c : codes) c = code(engine);
  std::vector<double> sums(static_cast<std::size_t>(vectors) * outputs);
  if (matrix.needs_calibration()) matrix.Calibrate(matrix.ObserveCurrents(0, codes.data(), vectors, false));
  RunAgainstSgemm(bench, vectors, outputs, inputs, reads, 0,
                  [&] { matrix.Multiply(0, codes.data(), vectors, false, 0, sums.data()); });
}

// Cells vary, as they do behind wires: levels are real numbers.
Hardware VariedCells() {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.conductance_sigma = 0.05;
  return hardware;
}

// 8 one-bit streams and an 8-bit converter that counts whole levels.
void BM_OneBitStreams(benchmark::State& bench) { Run(bench, VariedCells(), 64); }

// The same with a converter whose step is above one level.
void BM_OneBitStreamsCoarse(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.adc_bits = 6;
  Run(bench, hardware, 64);
}

// Two streams of 4 bits on every array of 4 slices and 2 polarities.
void BM_MultiBitStreams(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.dac_bits = 4;
  Run(bench, hardware, 16);
}

// 6-bit digits in one stream, twins subtracted as currents: one product, behind which the work around it shows.
void BM_OneStream(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.weight_bits = 6;
  hardware.cell_bits = 5;
  hardware.input_bits = 6;
  hardware.dac_bits = 6;
  hardware.subtraction = Subtraction::kAnalog;
  hardware.adc_range = AdcRange::kCalibrated;
  Run(bench, hardware, 1);
}

// Ideal converters: one product, whatever the streams and slices.
void BM_Folded(benchmark::State& bench) {
  Hardware hardware = VariedCells();
  hardware.adc_bits = 0;
  Run(bench, hardware, 1);
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

BENCHMARK(BM_OneBitStreams)->Apply(Shapes);
BENCHMARK(BM_OneBitStreamsCoarse)->Apply(Shapes);
BENCHMARK(BM_MultiBitStreams)->Apply(Shapes);
BENCHMARK(BM_OneStream)->Apply(Shapes);
BENCHMARK(BM_Folded)->Apply(Shapes);

}  // namespace
}  // namespace rxnn
