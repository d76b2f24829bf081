// oneDNN beside blobs: values stay in the layout that its primitives compute with until somebody asks for plain ones.
#pragma once

#include <dnnl.hpp>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/syncedmem.hpp"

namespace caffe::onednn {

using Memory = dnnl::memory;
using Desc = dnnl::memory::desc;
using Dims = dnnl::memory::dims;

const dnnl::engine& Engine();
// Of this thread.
dnnl::stream& Stream();

Dims ToDims(const vector<int>& shape);
// Row-major floats: what a blob shows.
Desc PlainDesc(const Dims& dims);
// Floats in the layout that a primitive likes best.
Desc AnyDesc(const Dims& dims);

// The values of a blob in the layout `desc`. Padding in it is zero.
class Tensor : public ForeignLayout {
 public:
  explicit Tensor(const Desc& desc);
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  void WriteTo(void* plain) const override;

  const Memory& memory() const { return memory_; }
  Desc desc() const { return memory_.get_desc(); }
  float* values() const { return static_cast<float*>(memory_.get_data_handle()); }
  // Floats, padding included.
  int count() const { return static_cast<int>(desc().get_size() / sizeof(float)); }

 private:
  shared_ptr<void> buffer_;
  Memory memory_;  // of buffer_: valid as long as this lives
};

// The current foreign layout if its dimensions are `shape`, or null.
Tensor* Foreign(const SyncedMemory& values, const vector<int>& shape);
// The current values, foreign where they are.
Memory Read(SyncedMemory* values, const Dims& dims);
// Memory of this thread for what lasts no longer than one call of a layer: as many as are needed at a time, told apart
// by `slot`. Grows to the largest.
enum Slot { kSource, kResult, kWeights, kOutput, kSlots };
Memory Scratch(const Desc& desc, Slot slot);
// `from` in the layout `to`: itself where it is in that layout, a scratch copy otherwise.
Memory Reordered(const Memory& from, const Desc& to, Slot slot);
void Reorder(const Memory& from, const Memory& to);
// to += from.
void ReorderAdd(const Memory& from, const Memory& to);

// Where a layer writes all values of a blob in the layout `desc`; they are the blob's from Publish on. In place where
// the blob has current values in that layout that it shares with nobody.
class Output {
 public:
  Output(SyncedMemory* values, const Desc& desc);
  const Memory& memory() const { return memory_; }
  float* values() const { return static_cast<float*>(memory_.get_data_handle()); }
  void Publish();

 private:
  SyncedMemory* values_;
  shared_ptr<Tensor> tensor_;
  Memory memory_;
};

}  // namespace caffe::onednn
