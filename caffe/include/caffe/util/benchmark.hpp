// A wall clock for `caffe time` and scripts.
#pragma once

#include <chrono>

namespace caffe {

// Start, stop, read; reading a running timer stops it, reading one that never ran gives 0 (with a warning in the log).
class Timer {
 public:
  Timer() = default;
  virtual ~Timer() = default;
  // Without effect while the timer runs.
  virtual void Start();
  virtual void Stop();
  virtual float MilliSeconds();
  virtual float MicroSeconds();
  virtual float Seconds() { return MilliSeconds() / 1000; }

  bool initted() const { return true; }
  bool running() const { return running_; }
  bool has_run_at_least_once() const { return has_run_at_least_once_; }

 private:
  using Clock = std::chrono::steady_clock;
  // Stops; false when there is nothing to read.
  bool Finish();

  bool running_ = false;
  bool has_run_at_least_once_ = false;
  Clock::time_point start_{};
  Clock::duration elapsed_{};
};

// Measures the CPU's clock whatever the mode, which here is the only one there is.
class CPUTimer : public Timer {};

}  // namespace caffe
