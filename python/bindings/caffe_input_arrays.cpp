// Net.set_input_arrays: a MemoryData layer reads a script's arrays where they are.
#include <algorithm>
#include <utility>

#include "caffe/layers/memory_data_layer.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

using Arrays = std::pair<FloatArray, FloatArray>;

// Arrays in use, by the blob memory that points into them.
struct Entry {
  std::weak_ptr<caffe::SyncedMemory> memory;
  std::shared_ptr<Arrays> arrays;
};

std::vector<Entry>& Entries() {
  static auto* entries = new std::vector<Entry>;  // never destroyed: Python may be gone by then
  return *entries;
}

void Remember(const std::shared_ptr<caffe::SyncedMemory>& memory, const std::shared_ptr<Arrays>& arrays) {
  auto& entries = Entries();
  const auto old = [&](const Entry& entry) { return entry.memory.expired() || entry.memory.lock() == memory; };
  entries.erase(std::remove_if(entries.begin(), entries.end(), old), entries.end());
  entries.push_back({memory, arrays});
}

}  // namespace

void SetInputArrays(const Network& net, FloatArray data, FloatArray labels) {
  auto* layer = net.layers().empty() ? nullptr : dynamic_cast<caffe::MemoryDataLayer<float>*>(net.layers()[0].get());
  CAFFE_REQUIRE(layer != nullptr) << "set_input_arrays may only be called if the first layer is a MemoryDataLayer";
  CAFFE_REQUIRE(data.ndim() == 4) << "data must be 4-d, it has " << data.ndim() << " axes";
  CAFFE_REQUIRE(data.shape(1) == layer->channels() && data.shape(2) == layer->height() &&
                data.shape(3) == layer->width())
      << "data is (N, " << data.shape(1) << ", " << data.shape(2) << ", " << data.shape(3) << "), the layer takes (N, "
      << layer->channels() << ", " << layer->height() << ", " << layer->width() << ")";
  CAFFE_REQUIRE(labels.size() == data.shape(0)) << labels.size() << " labels for " << data.shape(0) << " images";
  CAFFE_REQUIRE(data.shape(0) > 0 && data.shape(0) % layer->batch_size() == 0)
      << data.shape(0) << " images are no multiple of the batch size, " << layer->batch_size();
  const auto arrays = std::make_shared<Arrays>(std::move(data), std::move(labels));
  float* values = const_cast<float*>(arrays->first.data());  // the engine may write into its bottom, an in-place ReLU
  layer->Reset(values, const_cast<float*>(arrays->second.data()), static_cast<int>(arrays->first.shape(0)));
  for (Blob* top : net.top_vecs()[0]) Remember(top->data(), arrays);
}

std::shared_ptr<void> InputArraysIn(const std::shared_ptr<caffe::SyncedMemory>& memory) {
  for (const Entry& entry : Entries()) {
    if (entry.memory.lock() == memory) return entry.arrays;
  }
  return nullptr;
}

}  // namespace pycaffe
