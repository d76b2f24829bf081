// Loops over independent indices, run in OpenMP threads where there is enough work for them. Bodies must not throw.
#pragma once

#include <cstdint>

namespace caffe {

// Elements of a cheap loop below which starting threads costs more than it saves (some microseconds of work).
constexpr int64_t kParallelGrain = 1 << 15;

// body(i) for i in [0, count): a few operations on element i.
template <typename Body>
void ForEachElement(int count, Body body) {
#pragma omp parallel for simd schedule(static) if (count >= kParallelGrain)
  for (int i = 0; i < count; ++i) {
    body(i);
  }
}

// body(task) for task in [0, count): each does about `elements_per_task` elements' worth of work.
template <typename Body>
void ForEachTask(int count, int64_t elements_per_task, Body body) {
#pragma omp parallel for schedule(static) if (count * elements_per_task >= kParallelGrain)
  for (int task = 0; task < count; ++task) {
    body(task);
  }
}

}  // namespace caffe
