// Net.set_input_arrays: a MemoryData layer reads a script's arrays where they are.
#include <utility>

#include "caffe/layers/memory_data_layer.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

using Arrays = std::pair<FloatArray, FloatArray>;

// Layers let go of memory with the interpreter's lock released.
void Release(Arrays* arrays) {
  if (!Py_IsInitialized()) return;  // at the end of a program, Python may have gone first
  const py::gil_scoped_acquire locked;
  delete arrays;
}

// Fresh memory for a blob, which keeps the arrays that it will point into. What still shows the old memory stays valid.
class ArrayBlob : public Blob {
 public:
  ArrayBlob(const Blob& blob, const std::shared_ptr<Arrays>& arrays) : Blob(blob.shape()) {
    data_ = std::shared_ptr<caffe::SyncedMemory>(new caffe::SyncedMemory(blob.data()->size()),
                                                 [arrays](caffe::SyncedMemory* memory) { delete memory; });
  }
};

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
  const std::shared_ptr<Arrays> arrays(new Arrays(std::move(data), std::move(labels)), &Release);
  // The engine may write into what it reads, an in-place ReLU behind the layer.
  layer->Reset(const_cast<float*>(arrays->first.data()), const_cast<float*>(arrays->second.data()),
               static_cast<int>(arrays->first.shape(0)));
  for (Blob* top : net.top_vecs()[0]) top->ShareData(ArrayBlob(*top, arrays));
}

}  // namespace pycaffe
