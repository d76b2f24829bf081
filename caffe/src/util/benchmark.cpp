#include "caffe/util/benchmark.hpp"

#include <glog/logging.h>

#include "caffe/util/gpu_runtime.hpp"

namespace caffe {

void Timer::Start() {
  if (running_) return;
  running_ = true;
  has_run_at_least_once_ = true;
  start_ = Clock::now();
}

void Timer::Stop() {
  if (!running_) return;
  WaitForDevice();
  elapsed_ = Clock::now() - start_;
  running_ = false;
}

void Timer::WaitForDevice() {
  if (Caffe::mode() == Caffe::GPU && GpuRuntime::Get() != nullptr) GpuRuntime::Require().Synchronize();
}

bool Timer::Finish() {
  if (!has_run_at_least_once_) {
    LOG(WARNING) << "a timer is read that has never run";
    return false;
  }
  Stop();
  return true;
}

float Timer::MilliSeconds() { return Finish() ? std::chrono::duration<float, std::milli>(elapsed_).count() : 0; }

float Timer::MicroSeconds() { return Finish() ? std::chrono::duration<float, std::micro>(elapsed_).count() : 0; }

}  // namespace caffe
