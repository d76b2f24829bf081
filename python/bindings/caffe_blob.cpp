// caffe.Blob: data and diff as NumPy views; BlobVec.
#include <utility>

#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

// A view that owns a share of the memory, so that it outlives the blob, and a Reshape that allocates anew. The memory
// knows when it ends.
py::array View(const Blob& blob, const std::shared_ptr<caffe::SyncedMemory>& memory) {
  auto* view = new caffe::HostView(memory);
  const py::capsule owner(view, [](void* pointer) { delete static_cast<caffe::HostView*>(pointer); });
  return py::array_t<float>(blob.shape(), view->values<float>(), owner);
}

py::array Data(const Blob& blob) { return View(blob, blob.data()); }

py::array Diff(const Blob& blob) { return View(blob, blob.diff()); }

std::vector<int> Dims(const py::args& dims) {
  std::vector<int> shape;
  for (const py::handle dim : dims) {
    if (!PyIndex_Check(dim.ptr())) {
      throw py::type_error("a shape is made of integers, not " + py::repr(dim).cast<std::string>());
    }
    const py::ssize_t size = PyNumber_AsSsize_t(dim.ptr(), PyExc_OverflowError);
    if (size == -1 && PyErr_Occurred() != nullptr) throw py::error_already_set();
    CAFFE_REQUIRE(size >= 0 && size <= INT_MAX) << "a blob cannot have the dimension " << size;
    shape.push_back(static_cast<int>(size));
  }
  return shape;
}

std::string Repr(const Blob& blob) {
  return "<caffe.Blob " + py::repr(py::tuple(py::cast(blob.shape()))).cast<std::string>() + ">";
}

std::shared_ptr<Blob> Get(const BlobVec& vec, py::ssize_t index) {
  const auto size = static_cast<py::ssize_t>(vec.blobs().size());
  if (index < -size || index >= size)
    throw py::index_error("blob " + std::to_string(index) + " of " + std::to_string(size));
  return vec.blobs()[index < 0 ? index + size : index];
}

BlobVec::Blobs Slice(const BlobVec& vec, const py::slice& slice) {
  py::ssize_t start = 0, stop = 0, step = 0, length = 0;
  if (!slice.compute(static_cast<py::ssize_t>(vec.blobs().size()), &start, &stop, &step, &length)) {
    throw py::error_already_set();
  }
  BlobVec::Blobs result;
  for (py::ssize_t i = 0; i < length; ++i) result.push_back(vec.blobs()[start + i * step]);
  return result;
}

void Extend(const BlobVec& vec, const py::iterable& blobs) {
  BlobVec::Blobs added;
  for (const py::handle blob : blobs) added.push_back(blob.cast<std::shared_ptr<Blob>>());
  for (const auto& blob : added) CAFFE_REQUIRE(blob != nullptr) << "None is no Blob";
  vec.blobs().insert(vec.blobs().end(), added.begin(), added.end());
}

}  // namespace

BlobVec::BlobVec(const std::vector<Blob*>& blobs) : blobs_(std::make_shared<Blobs>()) {
  for (Blob* blob : blobs) {
    std::shared_ptr<Blob> shared = blob->weak_from_this().lock();
    blobs_->push_back(shared ? shared : std::shared_ptr<Blob>(blob, [](Blob*) {}));
  }
}

std::vector<Blob*> BlobVec::Pointers() const {
  std::vector<Blob*> pointers;
  for (const auto& blob : *blobs_) pointers.push_back(blob.get());
  return pointers;
}

void BindBlob(py::module_& module) {
  py::class_<Blob, std::shared_ptr<Blob>>(module, "Blob", "An array of values (data) and their gradients (diff).")
      .def_property_readonly("data", &Data, "The values, a float32 view: assign with blob.data[...] = x.")
      .def_property_readonly("diff", &Diff, "The gradients, a float32 view.")
      .def_property_readonly(
          "shape", [](const Blob& blob) { return py::tuple(py::cast(blob.shape())); }, "Its dimensions, a tuple.")
      .def_property_readonly(
          "count", [](const Blob& blob) { return blob.count(); }, "Number of values.")
      .def_property_readonly("num", &Blob::num, "First of four axes; missing ones are 1.")
      .def_property_readonly("channels", &Blob::channels, "Second of four axes.")
      .def_property_readonly("height", &Blob::height, "Third of four axes.")
      .def_property_readonly("width", &Blob::width, "Fourth of four axes.")
      .def(
          "reshape", [](Blob& blob, const py::args& dims) { blob.Reshape(Dims(dims)); },
          "reshape(*dims): new shape; values stay where they are when they fit.")
      .def("__repr__", &Repr);

  py::class_<BlobVec>(module, "BlobVec", "A list of Blobs: the parameters of a layer, or its bottoms or tops.")
      .def(py::init([](const py::iterable& blobs) {
             BlobVec vec{BlobVec::Blobs()};
             Extend(vec, blobs);
             return vec;
           }),
           py::arg("blobs") = py::tuple())
      .def("__len__", [](const BlobVec& vec) { return vec.blobs().size(); })
      .def("__getitem__", &Get, py::arg("index"))
      .def("__getitem__", &Slice, py::arg("slice"))
      .def("__iter__", [](const BlobVec& vec) { return py::iter(py::cast(vec.blobs())); })
      .def("__repr__", [](const BlobVec& vec) { return py::repr(py::cast(vec.blobs())); })
      .def(
          "append", [](const BlobVec& vec, const py::object& blob) { Extend(vec, py::make_tuple(blob)); },
          py::arg("blob"), "Adds a Blob at the end.")
      .def("extend", &Extend, py::arg("blobs"), "Adds Blobs at the end.")
      .def(
          "add_blob",
          [](const BlobVec& vec, const py::args& dims) { vec.blobs().push_back(std::make_shared<Blob>(Dims(dims))); },
          "add_blob(*dims): adds a new Blob of zeros; how the setup of a Python layer makes its parameters.");
  module.attr("RawBlobVec") = module.attr("BlobVec");  // what Caffe calls bottoms and tops
}

}  // namespace pycaffe
