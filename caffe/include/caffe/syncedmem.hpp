// A block of memory that may live on the CPU and on a GPU and keeps track of which copy is current.
#pragma once

#include <cstddef>

#include "caffe/common.hpp"

namespace caffe {

// Memory is allocated at first use, 64-byte aligned and zero-filled.
class SyncedMemory {
 public:
  enum SyncedHead { UNINITIALIZED, HEAD_AT_CPU, HEAD_AT_GPU, SYNCED };

  SyncedMemory() = default;
  explicit SyncedMemory(size_t size) : size_(size) {}
  ~SyncedMemory();

  const void* cpu_data();
  void* mutable_cpu_data();
  // Uses memory that the caller owns and keeps alive.
  void set_cpu_data(void* data);
  // Throw Error in a build without CUDA.
  const void* gpu_data();
  void* mutable_gpu_data();
  void set_gpu_data(void* data);

  SyncedHead head() const { return head_; }
  size_t size() const { return size_; }

 private:
  void ToCpu();

  void* cpu_ptr_ = nullptr;
  size_t size_ = 0;
  SyncedHead head_ = UNINITIALIZED;
  bool own_cpu_data_ = false;

  DISABLE_COPY_AND_ASSIGN(SyncedMemory);
};

}  // namespace caffe
