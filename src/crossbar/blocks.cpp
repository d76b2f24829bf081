#include "crossbar/blocks.hpp"

#include <omp.h>

#include <algorithm>

namespace rxnn {
namespace {

// Neighbouring vectors of one sign.
struct Run {
  int first = 0;
  int count = 0;
  bool has_negative = false;
};

std::vector<Run> MakeRuns(const InputVectors& vectors) {
  std::vector<Run> runs;
  for (int v = 0; v < vectors.count(); ++v) {
    const bool has_negative = vectors.scale(v).has_negative;
    if (runs.empty() || runs.back().has_negative != has_negative) runs.push_back({v, 0, has_negative});
    ++runs.back().count;
  }
  return runs;
}

int CeilDiv(int a, int b) { return (a + b - 1) / b; }

}  // namespace

std::vector<Block> CutBlocks(const Batch& batch, int num_panels, const BlockLimits& limits) {
  const std::vector<Run> runs = MakeRuns(batch.vectors);
  const int fitting = static_cast<int>(std::min<std::int64_t>(limits.digit_bytes / limits.bytes_per_vector, 1 << 20));
  int vectors = std::clamp(fitting / limits.step * limits.step, limits.step, limits.most_vectors);
  int panels = std::min(limits.most_panels, num_panels);

  const int threads = omp_in_parallel() ? 1 : omp_get_max_threads();
  const std::int64_t wanted = threads > 1 ? 4 * threads : 1;
  const auto enough = [&] {
    std::int64_t pieces = 0;
    for (const Run& run : runs) pieces += CeilDiv(run.count, vectors);
    return pieces * CeilDiv(num_panels, panels) * batch.groups >= wanted;
  };
  const auto halve = [&](int* value, int step) { *value = CeilDiv(*value / 2, step) * step; };
  while (!enough() && vectors / 2 >= limits.efficient_vectors) halve(&vectors, limits.step);
  while (!enough() && panels > 1) panels = CeilDiv(panels, 2);
  while (!enough() && vectors > limits.step) halve(&vectors, limits.step);

  std::vector<Block> blocks;
  for (int group = batch.first_group; group < batch.first_group + batch.groups; ++group) {
    for (const Run& run : runs) {
      // Of equal size, so that the last is not a small rest.
      const int pieces = CeilDiv(run.count, vectors);
      const int size = CeilDiv(CeilDiv(run.count, pieces), limits.step) * limits.step;
      for (int v = 0; v < run.count; v += size) {
        for (int p = 0; p < num_panels; p += panels) {
          blocks.push_back({group, run.first + v, std::min(size, run.count - v), p, std::min(p + panels, num_panels),
                            run.has_negative});
        }
      }
    }
  }
  return blocks;
}

}  // namespace rxnn
