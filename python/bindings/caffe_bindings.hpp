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

// A C-contiguous float32 array; other types and layouts are converted on the way in.
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;

void BindBlob(py::module_& module);
void BindLayer(py::module_& module);
void BindNet(py::module_& module);
void BindNetFiles(py::module_& module);

// Files may be given as str or os.PathLike.
using Path = std::filesystem::path;

// Throws caffe::Error unless the file can be read.
void RequireFile(const Path& file);

}  // namespace pycaffe
