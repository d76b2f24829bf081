// A thread that belongs to an object and ends with it.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>

#include "caffe/common.hpp"

namespace caffe {

// Derive, implement InternalThreadEntry, and call StopInternalThread in the destructor of the derived class: the thread
// must not outlive what it works on.
class InternalThread {
 public:
  // Leaves InternalThreadEntry when the thread is told to stop while it waits. Not an error.
  struct Stopped {};

  InternalThread() = default;
  virtual ~InternalThread();

  // The thread takes over the state of Caffe in this one (mode, GPU, solver count and rank) and gets its own random
  // numbers, seeded from this thread's. Throws Error when it runs already.
  void StartInternalThread();
  // Tells the thread to stop, wakes it where it waits, and waits for its end. Nothing to do when it does not run.
  void StopInternalThread();

  bool is_started() const { return thread_ != nullptr; }

  // Waits until ready() holds; in an internal thread that is told to stop, throws Stopped instead.
  template <typename Ready>
  static void Wait(std::condition_variable* condition, std::unique_lock<std::mutex>* lock, Ready ready);

 protected:
  // The body of the thread. It should return when must_stop(). An exception ends the thread and is logged.
  virtual void InternalThreadEntry() {}

  // In the thread: whether StopInternalThread was called.
  bool must_stop();

 private:
  // What the stopping thread and the one told to stop share.
  class StopRequest {
   public:
    void Reset();
    void Make();
    bool made();
    // Where the thread is about to wait; null: nowhere.
    void SetWaiting(std::condition_variable* condition, std::mutex* mutex);

   private:
    std::mutex mutex_;
    bool made_ = false;
    std::condition_variable* waiting_condition_ = nullptr;
    std::mutex* waiting_mutex_ = nullptr;
  };

  // The state of Caffe that a thread takes over.
  struct Inherited {
    Caffe::Brew mode;
    int device;  // in GPU mode
    int solver_count, solver_rank;
    bool multiprocess;
    unsigned seed;
  };

  void Run(const Inherited& inherited);
  // The request to the internal thread that this code runs in, or null.
  static StopRequest*& Current();

  std::unique_ptr<std::thread> thread_;
  StopRequest stop_;

  DISABLE_COPY_AND_ASSIGN(InternalThread);
};

template <typename Ready>
void InternalThread::Wait(std::condition_variable* condition, std::unique_lock<std::mutex>* lock, Ready ready) {
  StopRequest* stop = Current();
  if (stop == nullptr) {
    condition->wait(*lock, ready);
    return;
  }
  stop->SetWaiting(condition, lock->mutex());
  condition->wait(*lock, [&] { return ready() || stop->made(); });
  stop->SetWaiting(nullptr, nullptr);
  if (stop->made()) throw Stopped();
}

}  // namespace caffe
