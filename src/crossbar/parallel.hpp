// A parallel loop whose workers have state and may throw.
#pragma once

#include <omp.h>

#include <atomic>
#include <cstdint>
#include <exception>

namespace rxnn {

// Calls worker(i) once for every i in [0, count), in any order, on all cores; on the calling thread alone when that is
// within a parallel region already. Every thread makes a worker of its own with make_worker(). The first exception ends
// the loop early and is thrown here.
template <typename MakeWorker>
void ParallelWork(std::int64_t count, const MakeWorker& make_worker) {
  std::atomic<std::int64_t> next{0};
  std::atomic<bool> stop{false};
  std::exception_ptr failure;
#pragma omp parallel if (count > 1 && !omp_in_parallel())
  {
    try {
      auto worker = make_worker();
      for (std::int64_t i = next++; i < count && !stop; i = next++) worker(i);
    } catch (...) {
      stop = true;
#pragma omp critical(rxnn_parallel_work)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace rxnn
