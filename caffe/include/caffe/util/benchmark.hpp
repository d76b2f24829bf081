// A wall clock for `caffe time` and scripts.
#pragma once

#include <chrono>

namespace caffe {

// Start, stop, read; reading a running timer stops it, reading one that never ran gives 0 (with a warning in the log).
// In GPU mode it stops when the GPU has done what it was given.
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

 protected:
  virtual void WaitForDevice();

 private:
  using Clock = std::chrono::steady_clock;
  // Stops; false when there is nothing to read.
  bool Finish();

  bool running_ = false;
  bool has_run_at_least_once_ = false;
  Clock::time_point start_{};
  Clock::duration elapsed_{};
};

// Measures the CPU's clock whatever the mode.
class CPUTimer : public Timer {
 protected:
  void WaitForDevice() override {}
};

}  // namespace caffe
