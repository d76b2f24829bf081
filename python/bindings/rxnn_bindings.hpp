// What the files of module rxnn._rxnn share.
#pragma once

#include <pybind11/functional.h>
#include <pybind11/numpy.h>
#include <pybind11/pybind11.h>
#include <pybind11/stl.h>

#include <string>

#include "rxnn/hardware.hpp"

namespace pyrxnn {

namespace py = pybind11;

// C-contiguous arrays; other types and layouts are converted on the way in.
using DoubleArray = py::array_t<double, py::array::c_style | py::array::forcecast>;
using FloatArray = py::array_t<float, py::array::c_style | py::array::forcecast>;
using CodeArray = py::array_t<std::int32_t, py::array::c_style | py::array::forcecast>;

void BindCircuit(py::module_& module);
void BindHardware(py::module_& module);
void BindMatrix(py::module_& module);
void BindArray(py::module_& module);

// From a serialised CrossbarParameter, validated.
rxnn::Hardware ParseHardware(const std::string& message);

}  // namespace pyrxnn
