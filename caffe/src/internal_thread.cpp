#include "caffe/internal_thread.hpp"

#include <exception>

#include "caffe/util/gpu_runtime.hpp"

namespace caffe {

InternalThread::~InternalThread() { StopInternalThread(); }

void InternalThread::StartInternalThread() {
  CAFFE_REQUIRE(!is_started()) << "the thread runs already";
  stop_.Reset();
  GpuRuntime* gpu = Caffe::mode() == Caffe::GPU ? GpuRuntime::Get() : nullptr;
  const Inherited inherited{Caffe::mode(),         gpu != nullptr ? gpu->Device() : -1,
                            Caffe::solver_count(), Caffe::solver_rank(),
                            Caffe::multiprocess(), caffe_rng_rand()};
  thread_ = std::make_unique<std::thread>([this, inherited] { Run(inherited); });
}

void InternalThread::StopInternalThread() {
  if (!is_started()) return;
  stop_.Make();
  thread_->join();
  thread_.reset();
}

void InternalThread::Run(const Inherited& inherited) {
  Current() = &stop_;
  try {
    Caffe::set_mode(inherited.mode);
    if (inherited.device >= 0) GpuRuntime::Require().SetDevice(inherited.device);
    Caffe::set_solver_count(inherited.solver_count);
    Caffe::set_solver_rank(inherited.solver_rank);
    Caffe::set_multiprocess(inherited.multiprocess);
    Caffe::set_random_seed(inherited.seed);
    InternalThreadEntry();
  } catch (const Stopped&) {
  } catch (const std::exception& error) {
    LOG(ERROR) << "a background thread ended: " << error.what();
  }
}

bool InternalThread::must_stop() { return stop_.made(); }

InternalThread::StopRequest*& InternalThread::Current() {
  thread_local StopRequest* current = nullptr;
  return current;
}

void InternalThread::StopRequest::Reset() {
  const std::lock_guard<std::mutex> lock(mutex_);
  made_ = false;
}

void InternalThread::StopRequest::Make() {
  std::unique_lock<std::mutex> lock(mutex_);
  made_ = true;
  std::condition_variable* const condition = waiting_condition_;
  std::mutex* const waiting_mutex = waiting_mutex_;
  if (condition == nullptr) return;
  // The thread has looked at made_ before this line or looks after the notification: it holds its mutex from the look
  // until it sleeps.
  lock.unlock();
  { const std::lock_guard<std::mutex> asleep(*waiting_mutex); }
  condition->notify_all();
}

bool InternalThread::StopRequest::made() {
  const std::lock_guard<std::mutex> lock(mutex_);
  return made_;
}

void InternalThread::StopRequest::SetWaiting(std::condition_variable* condition, std::mutex* mutex) {
  const std::lock_guard<std::mutex> lock(mutex_);
  waiting_condition_ = condition;
  waiting_mutex_ = mutex;
}

}  // namespace caffe
