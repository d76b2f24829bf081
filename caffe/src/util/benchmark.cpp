#include "caffe/util/benchmark.hpp"

namespace caffe {

void Timer::Start() {
  running_ = true;
  start_ = Clock::now();
}

void Timer::Stop() {
  if (!running_) return;
  elapsed_ = Clock::now() - start_;
  running_ = false;
}

float Timer::MilliSeconds() {
  Stop();
  return std::chrono::duration<float, std::milli>(elapsed_).count();
}

float Timer::MicroSeconds() {
  Stop();
  return std::chrono::duration<float, std::micro>(elapsed_).count();
}

}  // namespace caffe
