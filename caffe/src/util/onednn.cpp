#include "onednn.hpp"

#include <algorithm>
#include <cstring>

namespace caffe::onednn {

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

Tensor::Tensor(const Desc& desc) : memory_(desc, Engine()) {
  // Primitives read padding as zeros, and not all of them write it.
  if (PlainDesc(desc.dims()).get_size() != desc.get_size()) {
    std::memset(memory_.get_data_handle(), 0, desc.get_size());
  }
}

void Tensor::WriteTo(void* plain) const { Reorder(memory_, Memory(PlainDesc(desc().dims()), Engine(), plain)); }

Tensor* Foreign(const SyncedMemory& values, const vector<int>& shape) {
  auto* tensor = dynamic_cast<Tensor*>(values.foreign());
  return tensor != nullptr && tensor->desc().dims() == ToDims(shape) ? tensor : nullptr;
}

Memory Read(SyncedMemory* values, const Dims& dims) {
  auto* tensor = dynamic_cast<Tensor*>(values->foreign());
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
