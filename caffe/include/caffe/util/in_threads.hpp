// Independent pieces of work on a few threads of their own, for background work that OpenMP's threads are too busy for.
#pragma once

#include <algorithm>
#include <atomic>
#include <exception>
#include <thread>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {

// Threads that decode images beside a net that computes: more than a few would take its cores away.
inline int DecodeThreads() { return std::clamp(static_cast<int>(std::thread::hardware_concurrency()), 1, 4); }

// body(i) for i in [0, count), on up to `threads` threads, this one included. Of the exceptions thrown the one of the
// smallest i is passed on, when all threads have ended.
template <typename Body>
void InThreads(int count, int threads, Body body) {
  vector<std::exception_ptr> failures(count);
  std::atomic<int> next{0};
  const auto work = [&] {
    for (int i = next++; i < count; i = next++) {
      try {
        body(i);
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  vector<std::thread> helpers;
  for (int t = 1; t < std::min(threads, count); ++t) helpers.emplace_back(work);
  work();
  for (std::thread& helper : helpers) helper.join();
  for (const std::exception_ptr& failure : failures) {
    if (failure) std::rethrow_exception(failure);
  }
}

}  // namespace caffe
