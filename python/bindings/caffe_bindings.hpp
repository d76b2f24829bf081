// What the files of module caffe._caffe share.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>
#include <pybind11/stl/filesystem.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "caffe/caffe.hpp"

namespace pycaffe {

namespace py = pybind11;

using Blob = caffe::Blob<float>;
using Layer = caffe::Layer<float>;
using Network = caffe::Net<float>;

// A C-contiguous float32 array; other types and layouts are converted on the way in.
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

void BindBlob(py::module_& module);
void BindErrors(py::module_& module);
void BindLayer(py::module_& module);
void BindModes(py::module_& module);
void BindNet(py::module_& module);
void BindNetFiles(py::module_& module);
void BindParallel(py::module_& module);
void BindSolver(py::module_& module);
void BindVectors(py::module_& module);

// Files may be given as str or os.PathLike.
using Path = std::filesystem::path;

// Throws caffe::Error unless the file can be read.
void RequireFile(const Path& file);

// A text from a file, which need not be UTF-8: what is not becomes \xHH.
py::str ToStr(const std::string& text);

// Keeps `kept` as long as `owner` is there (and until the next call after that).
void KeepWith(const std::shared_ptr<void>& owner, std::shared_ptr<void> kept);

// A list of Blobs that is C++'s own: the parameters of a layer (and then `owner` is the layer), or its bottoms or tops.
class BlobVec {
 public:
  using Blobs = std::vector<std::shared_ptr<Blob>>;
  explicit BlobVec(Blobs blobs) : blobs_(std::make_shared<Blobs>(std::move(blobs))) {}
  explicit BlobVec(const std::shared_ptr<Layer>& owner) : blobs_(owner, &owner->blobs()) {}
  // Shares the ownership of blobs that have an owner.
  explicit BlobVec(const std::vector<Blob*>& blobs);

  Blobs& blobs() const { return *blobs_; }
  std::vector<Blob*> Pointers() const;

 private:
  std::shared_ptr<Blobs> blobs_;
};

// A Python list of class caffe._caffe.`name`.
template <typename Values>
py::object MakeVec(const char* name, const Values& values) {
  return py::module_::import("caffe._caffe").attr(name)(py::cast(values));
}

// Feeds a MemoryData layer that stands first: (N, C, H, W) and N labels. The arrays live as long as a blob or a view
// shows them.
void SetInputArrays(const Network& net, FloatArray data, FloatArray labels);

// An exception of Python on its way through the engine. what() is one line: type, message and place.
class PythonError : public caffe::Error {
 public:
  // `hint` is added to what().
  explicit PythonError(const py::error_already_set& error, const char* hint = "");
  // Makes it the current exception of Python again, with a note of the place in the engine, where there is one.
  void Restore(const std::string& place) const;

 private:
  std::shared_ptr<py::object> exception_;
};

}  // namespace pycaffe
