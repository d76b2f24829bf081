// A benchmark in turns with cblas_sgemm (OpenBLAS). Of each the best turn counts, in processor time of all threads: a
// machine that others use slows both. OMP_NUM_THREADS sets the threads of both.
#pragma once

#include <benchmark/benchmark.h>
#include <cblas.h>

#include <algorithm>
#include <cstdint>
#include <ctime>
#include <limits>
#include <random>
#include <vector>

namespace rxnn {

inline std::vector<float> RandomFloats(std::int64_t count) {
  std::mt19937 engine(1);
  std::normal_distribution<float> normal;
  std::vector<float> values(count);
  for (float& value : values) value = normal(engine);
  return values;
}

// Of all threads.
inline double ProcessorSeconds() {
  timespec time;
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
}

// Runs `product`, which stands for `reads` products of a vectors x rows matrix with a rows x cols matrix, in turns with
// sgemm on that shape. Counters:
//   gmac_per_s  10^9 multiply-accumulates of cells per second of one thread
//   of_sgemm    the same over sgemm's
//   goal        what of_sgemm should be, where above 0
template <typename Product>
void RunAgainstSgemm(benchmark::State& bench, int vectors, int cols, int rows, int reads, double goal,
                     const Product& product) {
  const std::vector<float> a = RandomFloats(static_cast<std::int64_t>(vectors) * rows);
  const std::vector<float> b = RandomFloats(static_cast<std::int64_t>(rows) * cols);
  std::vector<float> c(static_cast<std::size_t>(vectors) * cols);
  const double macs = static_cast<double>(vectors) * cols * rows;
  const int repeats = std::clamp(static_cast<int>(2e7 / macs), 1, 100);
  double best = std::numeric_limits<double>::infinity();
  double best_sgemm = best;
  for (auto _ : bench) {
    double start = ProcessorSeconds();
    product();
    const double seconds = ProcessorSeconds() - start;
    benchmark::ClobberMemory();
    bench.SetIterationTime(seconds);
    best = std::min(best, seconds);
    start = ProcessorSeconds();
    for (int i = 0; i < repeats; ++i) {
      cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, vectors, cols, rows, 1, a.data(), rows, b.data(), cols, 0,
                  c.data(), cols);
    }
    best_sgemm = std::min(best_sgemm, (ProcessorSeconds() - start) / repeats);
  }
  bench.counters["gmac_per_s"] = 1e-9 * macs * reads / best;
  bench.counters["of_sgemm"] = best_sgemm * reads / best;
  if (goal > 0) bench.counters["goal"] = goal;
}

}  // namespace rxnn
