// Module rxnn._rxnn.
#include "rxnn_bindings.hpp"

PYBIND11_MODULE(_rxnn, module) {
  using namespace pyrxnn;  // NOLINT: this function is the module

  module.doc() = "The native part of rxnn: the code that the crossbar layers run.";
  py::module_::import("caffe._caffe");  // translates caffe::Error
  py::register_exception<rxnn::HardwareError>(module, "HardwareError", PyExc_ValueError);
  BindCircuit(module);
  BindHardware(module);
  BindMatrix(module);
}
