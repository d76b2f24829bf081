// Times of the kernels on a GPU against their floors, and cuBLAS where it is found. Best of five; numbers are already
// on the device, but for programming.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <exception>
#include <limits>
#include <random>
#include <vector>

#include "benchmarks/gpu/cublas_yardstick.hpp"
#include "cuda/device_memory.hpp"
#include "rxnn/gpu.hpp"

namespace rxnn {
namespace {

using cuda::DeviceArray;

// Of an H200: dense bf16 products, float64 multiply-adds and shared memory (132 processors, 1.75 GHz).
constexpr double kBf16Flops = 790e12;
constexpr double kSharedBytesPerSecond = 132 * 128 * 1.75e9;

template <typename Run>
double BestSeconds(const Run& run) {
  double best = std::numeric_limits<double>::infinity();
  for (int i = 0; i < 5; ++i) {
    cuda::Synchronize();
    const auto start = std::chrono::steady_clock::now();
    run();
    cuda::Synchronize();
    best = std::min(best, std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  return best;
}

std::vector<float> Randoms(std::size_t count) {
  std::mt19937 engine(1);
  std::uniform_real_distribution<float> value(0, 1);
  std::vector<float> values(count);
  for (float& v : values) v = value(engine);
  return values;
}

void Line(const char* what, double seconds, double floor_seconds, double tera_flops) {
  std::printf("%-44s %10.3f ms  floor %10.3f ms", what, 1e3 * seconds, 1e3 * floor_seconds);
  if (tera_flops > 0) std::printf("  %8.1f TFLOP/s", tera_flops);
  std::printf("\n");
  std::fflush(stdout);
}

// A layer of n x n weights and 2 n vectors: quantised, packed, multiplied, scaled. `varies`: levels are real and take
// two bf16 parts.
void Product(const char* what, int n, int adc_bits, bool varies) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.adc_bits = adc_bits;
  hardware.conductance_sigma = varies ? 0.05 : 0;
  CrossbarMatrix matrix(hardware, "layer", 1, n, n);
  GpuProgram(matrix, Randoms(static_cast<std::size_t>(n) * n).data());
  GpuCrossbar gpu(matrix);
  const int count = 2 * n;
  DeviceArray<float> x(static_cast<std::size_t>(count) * n), y(static_cast<std::size_t>(count) * n);
  x.Take(Randoms(x.size()).data());
  const double seconds = BestSeconds([&] { gpu.Matmul(x.data(), count, Memory::kDevice, y.data()); });
  // One vector-matrix product of an array counts 2 rows cols.
  const double arrays = adc_bits == 0 ? 1 : hardware.num_streams() * hardware.num_slices() * hardware.num_polarities();
  const double flops = 2.0 * n * n * count * arrays;
  const double parts = adc_bits == 0 ? (varies ? 3 : 1) : varies ? 2 : 1;
  const double ones = adc_bits == 0 ? 0 : 0.25;  // the product that sums up the digits
  Line(what, seconds, flops * (parts + ones) / kBf16Flops, flops / seconds * 1e-12);
}

void Extraction() {
  constexpr int kSide = 64, kArrays = 4096;
  std::mt19937 engine(2);
  std::uniform_real_distribution<double> siemens(1e-6, 1e-5);
  std::vector<double> g(static_cast<std::size_t>(kArrays) * kSide * kSide);
  for (double& cell : g) cell = siemens(engine);
  const double seconds = BestSeconds([&] {
    GpuEquivalentConductance(g.data(), kArrays, kSide, kSide, {500, 100, 2.5, 2.5}, g.data());
  });
  // 24 bytes of shared memory for every multiply-add of the elimination.
  const double multiply_adds = kSide * kSide * (kSide * (kSide + 2.0) + kSide * (kSide + 1) / 2.0);
  const double floor = kArrays * multiply_adds * 24 / kSharedBytesPerSecond;
  Line("extraction, 4096 arrays of 64 x 64, from host", seconds, floor, 0);
  std::printf("%-44s %10.3f s\n", "  270 thousand of them", seconds * 270e3 / kArrays);
}

void Cublas(int n) {
  const CublasYardstick cublas;
  if (!cublas.found()) {
    std::printf("cuBLAS: not found\n");
    return;
  }
  DeviceArray<float> a(Randoms(static_cast<std::size_t>(n) * n)), b(Randoms(static_cast<std::size_t>(n) * n)),
      c(static_cast<std::size_t>(n) * n);
  bool right = true;
  const double seconds = BestSeconds([&] { right = right && cublas.Multiply(n, a.data(), b.data(), c.data()); });
  if (!right) {
    std::printf("cuBLAS: failed\n");
    return;
  }
  const double flops = 2.0 * n * n * n;
  Line("cuBLAS sgemm, 4096", seconds, flops / 67e12, flops / seconds * 1e-12);
}

int Main() {
  const std::string why = WhyNoGpu();
  if (!why.empty()) {
    std::fprintf(stderr, "gpu_benchmark: there is no GPU: %s\n", why.c_str());
    return 1;
  }
  const cuda::DeviceFacts facts = cuda::Facts();
  std::printf("%s, %d processors; floors are those of an H200\n", facts.name.c_str(), facts.processors);
  Product("8-bit ADCs, whole levels, 4096 x 4096 x 8192", 4096, 8, false);
  Product("8-bit ADCs, real levels, 4096 x 4096 x 8192", 4096, 8, true);
  Product("ideal ADCs, whole levels, 4096 x 4096 x 8192", 4096, 0, false);
  Product("ideal ADCs, real levels, 4096 x 4096 x 8192", 4096, 0, true);
  Extraction();
  Cublas(4096);
  return 0;
}

}  // namespace
}  // namespace rxnn

int main() {
  try {
    return rxnn::Main();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "gpu_benchmark: %s\n", error.what());
    return 1;
  }
}
