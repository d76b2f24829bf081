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

uint64_t NewVersion() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

SyncedMemory::~SyncedMemory() { FreePlain(); }

void SyncedMemory::FreePlain() {
  if (own_cpu_data_) std::free(cpu_ptr_);
  cpu_ptr_ = nullptr;
  own_cpu_data_ = false;
}

void SyncedMemory::ToCpu() {
  if (cpu_ptr_ == nullptr) {
    cpu_ptr_ = AllocateZeroed(size_);
    own_cpu_data_ = true;
  }
  // Written only when it changes: nets in several threads read the weights they share.
  if (head_ == UNINITIALIZED) head_ = HEAD_AT_CPU;
  if (!plain_current_) {
    foreign_->WriteTo(cpu_ptr_);
    plain_current_ = true;
  }
}

const void* SyncedMemory::cpu_data() {
  ToCpu();
  if (!readable_) readable_ = true;
  return cpu_ptr_;
}

void* SyncedMemory::mutable_cpu_data() {
  ToCpu();
  foreign_current_ = false;
  readable_ = writable_ = true;
  version_ = NewVersion();
  return cpu_ptr_;
}

void SyncedMemory::set_cpu_data(void* data) {
  CHECK(data);
  FreePlain();
  cpu_ptr_ = data;
  head_ = HEAD_AT_CPU;
  plain_current_ = true;
  foreign_current_ = false;
  readable_ = writable_ = true;
}

void* SyncedMemory::BeginView() {
  ToCpu();
  foreign_current_ = false;
  ++views_;
  version_ = NewVersion();
  return cpu_ptr_;
}

void SyncedMemory::EndView() {
  version_ = NewVersion();
  --views_;
}

uint64_t SyncedMemory::version() {
  // The owner of memory that is not ours writes when it likes.
  const bool external = cpu_ptr_ != nullptr && !own_cpu_data_;
  if (views_ > 0 || external || version_ == 0) version_ = NewVersion();
  return version_;
}

void SyncedMemory::set_foreign(const shared_ptr<ForeignLayout>& foreign) {
  foreign_ = foreign;
  version_ = NewVersion();
  head_ = HEAD_AT_CPU;
  // What a kept pointer may write later, nobody would see in the foreign values.
  foreign_current_ = !plain_wanted();
  plain_current_ = false;
  if (!foreign_current_ || readable_) {
    ToCpu();
  } else {
    FreePlain();
  }
}

void* SyncedMemory::transient_data(bool write) {
  if (write) plain_current_ = true;
  ToCpu();
  if (write) {
    foreign_current_ = false;
    version_ = NewVersion();
  }
  return cpu_ptr_;
}

const void* SyncedMemory::gpu_data() { NO_GPU; }
void* SyncedMemory::mutable_gpu_data() { NO_GPU; }
void SyncedMemory::set_gpu_data(void* data) { NO_GPU; }

}  // namespace caffe
