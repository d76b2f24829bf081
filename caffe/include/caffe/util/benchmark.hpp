// A wall clock for `caffe time` and scripts.
#pragma once

#include <chrono>

namespace caffe {

// Start, stop, read; reading a running timer stops it.
class Timer {
 public:
  Timer() = default;
  virtual ~Timer() = default;
  virtual void Start();
  virtual void Stop();
  virtual float MilliSeconds();
  virtual float MicroSeconds();
  virtual float Seconds() { return MilliSeconds() / 1000; }

 private:
  using Clock = std::chrono::steady_clock;
  bool running_ = false;
  Clock::time_point start_{};
  Clock::duration elapsed_{};
};
using CPUTimer = Timer;

}  // namespace caffe
