#include "caffe/syncedmem.hpp"

#include <cstdlib>
#include <cstring>
#include <new>

#include "caffe/util/gpu_runtime.hpp"

namespace caffe {
namespace {

constexpr size_t kAlignment = 64;  // a cache line, and the widest vector

uint64_t NewVersion() {
  static std::atomic<uint64_t> last{0};
  return ++last;
}

}  // namespace

SyncedMemory::~SyncedMemory() {
  FreePlain();
  if (own_gpu_data_) GpuRuntime::Require().Free(gpu_ptr_);
}

void SyncedMemory::AllocateOnCpu() {
  // aligned_alloc wants a multiple of the alignment, and a size of 0 must still give a pointer.
  const size_t padded = (size_ + kAlignment) / kAlignment * kAlignment;
  GpuRuntime* gpu = GpuRuntime::Get();
  pinned_ = gpu != nullptr && Caffe::mode() == Caffe::GPU;
  cpu_ptr_ = pinned_ ? gpu->AllocatePinned(padded) : std::aligned_alloc(kAlignment, padded);
  if (cpu_ptr_ == nullptr) throw std::bad_alloc();
  own_cpu_data_ = true;
  std::memset(cpu_ptr_, 0, padded);
}

void SyncedMemory::FreePlain() {
  if (own_cpu_data_) pinned_ ? GpuRuntime::Require().FreePinned(cpu_ptr_) : std::free(cpu_ptr_);
  cpu_ptr_ = nullptr;
  own_cpu_data_ = false;
}

void SyncedMemory::ToCpu() {
  if (cpu_ptr_ == nullptr) AllocateOnCpu();
  if (head_ == HEAD_AT_GPU) {
    GpuRuntime::Require().ToHost(cpu_ptr_, gpu_ptr_, size_);
    head_ = SYNCED;
  }
  // Written only when it changes: nets in several threads read the weights they share.
  if (head_ == UNINITIALIZED) head_ = HEAD_AT_CPU;
  if (!plain_current_) {
    foreign_->WriteTo(cpu_ptr_);
    plain_current_ = true;
  }
}

const void* SyncedMemory::cpu_data() {
  const std::lock_guard<std::mutex> lock(host_mutex_);
  ToCpu();
  if (!readable_) readable_ = true;
  return cpu_ptr_;
}

void* SyncedMemory::mutable_cpu_data() {
  const std::lock_guard<std::mutex> lock(host_mutex_);
  ToCpu();
  head_ = HEAD_AT_CPU;
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
  const std::lock_guard<std::mutex> lock(host_mutex_);
  ToCpu();
  head_ = HEAD_AT_CPU;
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
  if (written_unseen() || version_ == 0) version_ = NewVersion();
  return version_;
}

void SyncedMemory::set_foreign(const shared_ptr<ForeignLayout>& foreign) {
  const std::lock_guard<std::mutex> lock(host_mutex_);
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

void SyncedMemory::add_foreign(const shared_ptr<ForeignLayout>& foreign) {
  const std::lock_guard<std::mutex> lock(host_mutex_);
  if (plain_wanted() || head_ != HEAD_AT_CPU) return;
  foreign_ = foreign;
  foreign_current_ = true;
  if (readable_) return;
  plain_current_ = false;
  FreePlain();
}

void* SyncedMemory::transient_data(bool write) {
  const std::lock_guard<std::mutex> lock(host_mutex_);
  if (write) {
    plain_current_ = true;
    head_ = HEAD_AT_CPU;
  }
  ToCpu();
  if (write) {
    foreign_current_ = false;
    version_ = NewVersion();
  }
  return cpu_ptr_;
}

void SyncedMemory::ToGpu() {
  GpuRuntime& gpu = GpuRuntime::Require();
  if (gpu_ptr_ == nullptr) {
    gpu_ptr_ = gpu.Allocate(size_);
    own_gpu_data_ = true;
  }
  if (head_ == UNINITIALIZED) {
    gpu.SetZero(gpu_ptr_, size_);
    head_ = HEAD_AT_GPU;
  } else if (head_ == HEAD_AT_CPU || (head_ == SYNCED && written_unseen())) {
    ToCpu();
    gpu.ToDevice(gpu_ptr_, cpu_ptr_, size_);
    head_ = SYNCED;
  }
}

const void* SyncedMemory::gpu_data() {
  ToGpu();
  return gpu_ptr_;
}

void* SyncedMemory::mutable_gpu_data() {
  ToGpu();
  head_ = HEAD_AT_GPU;
  plain_current_ = true;
  foreign_current_ = false;
  version_ = NewVersion();
  return gpu_ptr_;
}

void SyncedMemory::set_gpu_data(void* data) {
  CHECK(data);
  GpuRuntime& gpu = GpuRuntime::Require();
  if (own_gpu_data_) gpu.Free(gpu_ptr_);
  gpu_ptr_ = data;
  own_gpu_data_ = false;
  head_ = HEAD_AT_GPU;
  plain_current_ = true;
  foreign_current_ = false;
  version_ = NewVersion();
}

void SyncedMemory::async_gpu_push(void* stream) {
  CHECK(head_ == HEAD_AT_CPU) << "only what is on the host can be copied from there";
  GpuRuntime& gpu = GpuRuntime::Require();
  ToCpu();
  if (gpu_ptr_ == nullptr) {
    gpu_ptr_ = gpu.Allocate(size_);
    own_gpu_data_ = true;
  }
  gpu.ToDeviceBeside(gpu_ptr_, cpu_ptr_, size_, stream);
  head_ = SYNCED;
}

}  // namespace caffe
