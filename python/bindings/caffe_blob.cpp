// caffe.Blob: data and diff as NumPy views.
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

// A view that owns a share of the memory, so that it outlives the blob, and a Reshape that allocates anew.
py::array View(const Blob& blob, const std::shared_ptr<caffe::SyncedMemory>& memory, float* values) {
  using Share = std::shared_ptr<caffe::SyncedMemory>;
  const py::capsule owner(new Share(memory), [](void* share) { delete static_cast<Share*>(share); });
  return py::array_t<float>(blob.shape(), values, owner);
}

py::array Data(Blob& blob) {
  float* values = blob.mutable_cpu_data();
  return View(blob, blob.data(), values);
}

py::array Diff(Blob& blob) {
  float* values = blob.mutable_cpu_diff();
  return View(blob, blob.diff(), values);
}

}  // namespace

void BindBlob(py::module_& module) {
  py::class_<Blob, std::shared_ptr<Blob>>(module, "Blob", "An array of values and their gradients.")
      .def_property_readonly("data", &Data, "The values, a float32 view: assign with blob.data[...] = x.")
      .def_property_readonly("diff", &Diff, "The gradients, a float32 view.")
      .def_property_readonly("shape", [](const Blob& blob) { return py::tuple(py::cast(blob.shape())); })
      .def_property_readonly("count", [](const Blob& blob) { return blob.count(); })
      .def_property_readonly("num", &Blob::num)
      .def_property_readonly("channels", &Blob::channels)
      .def_property_readonly("height", &Blob::height)
      .def_property_readonly("width", &Blob::width)
      .def(
          "reshape", [](Blob& blob, const py::args& dims) { blob.Reshape(dims.cast<std::vector<int>>()); },
          "reshape(*dims): new shape; values stay where they are when they fit.");
}

}  // namespace pycaffe
