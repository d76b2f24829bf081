// Loops over independent indices, run in OpenMP threads where there is enough work for them. Bodies must not throw.
#pragma once

#include <cstdint>

namespace caffe {

// Elements of a cheap loop below which starting threads costs more than it saves (some microseconds of work).
constexpr int64_t kParallelGrain = 1 << 15;

// body(i) for i in [0, count): a few operations on element i, compiled to vector instructions where the body holds what
// it needs by value. Each thread has a body of its own: in one that they share, what the loop writes might be the body.
template <typename Body>
void ForEachElement(int count, Body body) {
#pragma omp parallel for simd schedule(static) firstprivate(body) if (count >= kParallelGrain)
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

// The sum of term(i) over i in [0, count), in double: in lanes, so that an addition need not wait for the one before.
template <typename Term>
double SumOf(int count, Term term) {
  constexpr int kLanes = 8;
  double lanes[kLanes] = {};
  int i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) lanes[lane] += term(i + lane);
  }
  double sum = 0;
  for (; i < count; ++i) sum += term(i);
  for (const double lane : lanes) sum += lane;
  return sum;
}

}  // namespace caffe
