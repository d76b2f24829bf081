#include "caffe/syncedmem.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

namespace caffe {
namespace {

constexpr size_t kAlignment = 64;  // a cache line, and the widest vector

void* AllocateZeroed(size_t size) {
  // aligned_alloc wants a multiple of the alignment, and a size of 0 must still give a pointer.
  const size_t padded = (size + kAlignment) / kAlignment * kAlignment;
  void* memory = std::aligned_alloc(kAlignment, padded);
  if (memory == nullptr) throw std::bad_alloc();
  std::memset(memory, 0, padded);
  return memory;
}

}  // namespace

SyncedMemory::~SyncedMemory() {
  if (own_cpu_data_) std::free(cpu_ptr_);
}

void SyncedMemory::ToCpu() {
  if (head_ != UNINITIALIZED) return;
  cpu_ptr_ = AllocateZeroed(size_);
  own_cpu_data_ = true;
  head_ = HEAD_AT_CPU;
}

const void* SyncedMemory::cpu_data() {
  ToCpu();
  return cpu_ptr_;
}

void* SyncedMemory::mutable_cpu_data() {
  ToCpu();
  return cpu_ptr_;
}

void SyncedMemory::set_cpu_data(void* data) {
  CHECK(data);
  if (own_cpu_data_) std::free(cpu_ptr_);
  cpu_ptr_ = data;
  own_cpu_data_ = false;
  head_ = HEAD_AT_CPU;
}

const void* SyncedMemory::gpu_data() { NO_GPU; }
void* SyncedMemory::mutable_gpu_data() { NO_GPU; }
void SyncedMemory::set_gpu_data(void* data) { NO_GPU; }

}  // namespace caffe
