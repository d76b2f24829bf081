#include "onednn.hpp"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <list>
#include <mutex>
#include <new>
#include <utility>

namespace caffe::onednn {
namespace {

// Buffers for tensors. Where blobs share their values, tensors come and go with every pass, and each page of fresh
// memory costs a fault: so those that are given back wait for the next tensor of their size, as long as they are no
// more than an eighth of what tensors hold.
class Buffers {
 public:
  void* Take(size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_ += size;
    for (auto it = idle_.begin(); it != idle_.end(); ++it) {
      if (it->second != size) continue;
      void* const buffer = it->first;
      idle_size_ -= size;
      idle_.erase(it);
      return buffer;
    }
    constexpr size_t kAlignment = 64;
    void* const buffer = std::aligned_alloc(kAlignment, (size + kAlignment - 1) / kAlignment * kAlignment);
    if (buffer == nullptr) throw std::bad_alloc();
    return buffer;
  }

  void Give(void* buffer, size_t size) {
    const std::lock_guard<std::mutex> lock(mutex_);
    held_ -= size;
    idle_size_ += size;
    idle_.emplace_back(buffer, size);
    while (idle_size_ > held_ / 8) {
      std::free(idle_.front().first);
      idle_size_ -= idle_.front().second;
      idle_.pop_front();
    }
  }

 private:
  std::mutex mutex_;
  std::list<std::pair<void*, size_t>> idle_;  // the longest waiting first
  size_t held_ = 0, idle_size_ = 0;
};

shared_ptr<void> NewBuffer(size_t size) {
  static Buffers& buffers = *new Buffers;  // outlives tensors of other static objects
  return shared_ptr<void>(buffers.Take(size), [size](void* buffer) { buffers.Give(buffer, size); });
}

}  // namespace

const dnnl::engine& Engine() {
  static const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  return engine;
}

dnnl::stream& Stream() {
  thread_local dnnl::stream stream(Engine());
  return stream;
}

Dims ToDims(const vector<int>& shape) { return Dims(shape.begin(), shape.end()); }

Desc PlainDesc(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (size_t axis = dims.size() - 1; axis > 0; --axis) strides[axis - 1] = strides[axis] * dims[axis];
  return Desc(dims, Memory::data_type::f32, strides);
}

Desc AnyDesc(const Dims& dims) { return Desc(dims, Memory::data_type::f32, Memory::format_tag::any); }

Tensor::Tensor(const Desc& desc) : buffer_(NewBuffer(desc.get_size())), memory_(desc, Engine(), buffer_.get()) {
  // Primitives read padding as zeros, and not all of them write it.
  if (PlainDesc(desc.dims()).get_size() != desc.get_size()) {
    std::memset(memory_.get_data_handle(), 0, desc.get_size());
  }
}

void Tensor::WriteTo(void* plain) const { Reorder(memory_, Memory(PlainDesc(desc().dims()), Engine(), plain)); }

Tensor* Foreign(const SyncedMemory& values, const vector<int>& shape) {
  auto* tensor = dynamic_cast<Tensor*>(values.foreign().get());
  return tensor != nullptr && tensor->desc().dims() == ToDims(shape) ? tensor : nullptr;
}

Memory Read(SyncedMemory* values, const Dims& dims) {
  auto* tensor = dynamic_cast<Tensor*>(values->foreign().get());
  if (tensor != nullptr && tensor->desc().dims() == dims) return tensor->memory();
  return Memory(PlainDesc(dims), Engine(), values->transient_data(false));
}

void Reorder(const Memory& from, const Memory& to) {
  Memory source = from, target = to;
  dnnl::reorder(source, target).execute(Stream(), source, target);
  Stream().wait();
}

void ReorderAdd(const Memory& from, const Memory& to) {
  dnnl::post_ops add;
  add.append_sum();
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(add);
  Memory source = from, target = to;
  const dnnl::reorder::primitive_desc reorder(Engine(), source.get_desc(), Engine(), target.get_desc(), attributes);
  dnnl::reorder(reorder).execute(Stream(), source, target);
  Stream().wait();
}

Memory Scratch(const Desc& desc, Slot slot) {
  // Untyped memory of oneDNN's own allocator, so that it is aligned.
  thread_local Memory buffers[kSlots];
  Memory& buffer = buffers[slot];
  const size_t size = desc.get_size();
  if (!buffer || buffer.get_desc().get_size() < size) {
    buffer = Memory();
    buffer = Memory(Desc({static_cast<Memory::dim>(size)}, Memory::data_type::u8, Memory::format_tag::a), Engine());
  }
  return Memory(desc, Engine(), buffer.get_data_handle());
}

Memory Reordered(const Memory& from, const Desc& to, Slot slot) {
  if (from.get_desc() == to) return from;
  const Memory copy = Scratch(to, slot);
  Reorder(from, copy);
  return copy;
}

Output::Output(SyncedMemory* values, const Desc& desc) : values_(values) {
  if (desc == PlainDesc(desc.dims())) {
    memory_ = Memory(desc, Engine(), values->transient_data(true));
    return;
  }
  if (values->plain_wanted()) {
    memory_ = Scratch(desc, kOutput);  // foreign values would be used once
    return;
  }
  tensor_ = std::dynamic_pointer_cast<Tensor>(values->last_foreign());
  // Used again where nobody else holds it.
  if (tensor_ == nullptr || tensor_.use_count() > 2 || tensor_->desc() != desc) {
    tensor_ = std::make_shared<Tensor>(desc);
  }
  memory_ = tensor_->memory();
}

void Output::Publish() {
  const Desc desc = memory_.get_desc();
  if (tensor_ != nullptr) {
    values_->set_foreign(tensor_);
  } else if (const Desc plain = PlainDesc(desc.dims()); desc != plain) {
    Reorder(memory_, Memory(plain, Engine(), values_->transient_data(true)));
  }
}

}  // namespace caffe::onednn
