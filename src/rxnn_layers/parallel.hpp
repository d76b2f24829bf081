// A parallel loop whose body may throw.
#pragma once

#include <cstdint>
#include <exception>

namespace rxnn {

// body(i) for i in [0, count), in any order, on all cores; the first exception is thrown once the loop has ended.
template <typename Body>
void ParallelFor(std::int64_t count, Body&& body) {
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic)
  for (std::int64_t i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
#pragma omp critical(rxnn_parallel_for)
      if (!failure) failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
}

}  // namespace rxnn
