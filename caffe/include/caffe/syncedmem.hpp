// A block of memory that may live on the CPU and on a GPU and keeps track of which copy is current.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>

#include "caffe/common.hpp"

namespace caffe {

// The values of a SyncedMemory in an order that a library computes with; layers keep it between them.
class ForeignLayout {
 public:
  virtual ~ForeignLayout() = default;
  // Writes the values in plain order to `plain`, which has the size of the SyncedMemory.
  virtual void WriteTo(void* plain) const = 0;
};

// Memory is allocated at first use, 64-byte aligned and zero-filled; that of the host so that a GPU copies it at once
// (pinned) where this thread is in GPU mode.
//
// Values may stand in a foreign layout as well, or in it alone: who asks for a pointer never sees that. A pointer that
// was handed out once shows the current values for as long as the memory lives, as plain memory does: in CPU mode. What
// a GPU has written is seen on the host by who asks for a pointer after that.
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
  // On the GPU that the thread worked on that was the first to ask. Throw Error in a build without CUDA.
  const void* gpu_data();
  void* mutable_gpu_data();
  void set_gpu_data(void* data);
  // Copies to the GPU what is on the host, beside the work of others: there when `stream` (cudaStream_t) is done, with
  // null after GpuRuntime::WaitForCopies in this thread.
  void async_gpu_push(void* stream);

  SyncedHead head() const { return head_; }
  size_t size() const { return size_; }

  // A writable view that is known to end, with EndView: while there is one, values count as changed all the time, and
  // afterwards no longer.
  void* BeginView();
  void EndView();

  // Changes whenever the values may have changed, and is never equal for two memories. Whoever writes gets the
  // pointer anew for each change (mutable_cpu_data), or holds a view.
  uint64_t version();

  // For code that computes in foreign layouts. The current one, or null where only the plain values are current.
  shared_ptr<ForeignLayout> foreign() const { return foreign_current_ ? foreign_ : nullptr; }
  // The layout that was last set, current or not: memory to write into again where nobody else holds it.
  const shared_ptr<ForeignLayout>& last_foreign() const { return foreign_; }
  // Whether set_foreign would be of no use, because someone may write through a pointer.
  bool plain_wanted() const { return views_ > 0 || writable_; }
  // From now on the values are those of `foreign`, which other memories may share as long as nobody writes into it.
  // Plain ones are made at once if someone may look at them through a pointer, and their memory freed if not.
  void set_foreign(const shared_ptr<ForeignLayout>& foreign);
  // `foreign` holds the same values as this, for as long as nobody writes here: nothing changes for anyone. The plain
  // values are given up, and made again when someone asks, unless somebody may hold a pointer to them.
  void add_foreign(const shared_ptr<ForeignLayout>& foreign);
  // The plain memory for a caller that forgets the pointer when it returns; `write`: all values will be written.
  void* transient_data(bool write);

 private:
  void AllocateOnCpu();
  void ToCpu();
  void FreePlain();
  void ToGpu();
  // Whether someone may write on the host without being seen.
  bool written_unseen() const { return views_ > 0 || (cpu_ptr_ != nullptr && !own_cpu_data_); }

  void* cpu_ptr_ = nullptr;
  void* gpu_ptr_ = nullptr;
  size_t size_ = 0;
  SyncedHead head_ = UNINITIALIZED;
  bool own_cpu_data_ = false;
  bool own_gpu_data_ = false;
  bool pinned_ = false;
  // Whether a pointer was handed out that may be kept.
  bool readable_ = false;
  bool writable_ = false;
  std::atomic<int> views_{0};
  std::atomic<uint64_t> version_{0};
  shared_ptr<ForeignLayout> foreign_;
  bool foreign_current_ = false;
  bool plain_current_ = true;
  // Held while plain values on the host come or go: a net may run while another thread looks at its blobs.
  std::mutex host_mutex_;

  DISABLE_COPY_AND_ASSIGN(SyncedMemory);
};

// Writable plain values on the host for as long as this lives, and no pointer kept: values may go into a foreign layout
// afterwards.
class HostView {
 public:
  explicit HostView(const shared_ptr<SyncedMemory>& memory) : memory_(memory), values_(memory->BeginView()) {}
  ~HostView() { memory_->EndView(); }
  template <typename T>
  T* values() const {
    return static_cast<T*>(values_);
  }

 private:
  shared_ptr<SyncedMemory> memory_;
  void* values_;

  DISABLE_COPY_AND_ASSIGN(HostView);
};

}  // namespace caffe
