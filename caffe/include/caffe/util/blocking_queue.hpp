// A queue between threads.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <utility>

#include "caffe/common.hpp"
#include "caffe/internal_thread.hpp"

namespace caffe {

// First in, first out, without a bound. Who waits in an InternalThread that is told to stop leaves with
// InternalThread::Stopped.
template <typename T>
class BlockingQueue {
 public:
  BlockingQueue() = default;

  void push(const T& value) {
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      queue_.push_back(value);
    }
    condition_.notify_one();
  }

  bool try_pop(T* value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.empty()) return false;
    *value = std::move(queue_.front());
    queue_.pop_front();
    return true;
  }

  // Waits for a value. `log_on_wait`, where given, is logged now and then while there is none.
  T pop(const string& log_on_wait = "") {
    std::unique_lock<std::mutex> lock(mutex_);
    if (queue_.empty() && !log_on_wait.empty()) {
      LOG_EVERY_N(INFO, 1000) << log_on_wait;
    }
    WaitFilled(&lock);
    T value = std::move(queue_.front());
    queue_.pop_front();
    return value;
  }

  bool try_peek(T* value) {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (queue_.empty()) return false;
    *value = queue_.front();
    return true;
  }

  // Waits for a value and leaves it in the queue.
  T peek() {
    std::unique_lock<std::mutex> lock(mutex_);
    WaitFilled(&lock);
    return queue_.front();
  }

  size_t size() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    return queue_.size();
  }

 private:
  void WaitFilled(std::unique_lock<std::mutex>* lock) {
    InternalThread::Wait(&condition_, lock, [this] { return !queue_.empty(); });
  }

  mutable std::mutex mutex_;
  std::condition_variable condition_;
  std::deque<T> queue_;

  DISABLE_COPY_AND_ASSIGN(BlockingQueue);
};

}  // namespace caffe
