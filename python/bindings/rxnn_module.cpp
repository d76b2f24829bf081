// Module rxnn._rxnn.
#include <omp.h>

#include <algorithm>

#include "rxnn_bindings.hpp"

PYBIND11_MODULE(_rxnn, module) {
  using namespace pyrxnn;  // NOLINT: this function is the module

  module.doc() = "The native part of rxnn: the code that the crossbar layers run.";
  py::module_::import("caffe._caffe");  // translates caffe::Error
  py::register_exception<rxnn::HardwareError>(module, "HardwareError", PyExc_ValueError);
  module.def(
      "set_num_threads",
      [](int threads) {
        const int before = omp_get_max_threads();
        omp_set_num_threads(std::max(1, threads));
        return before;
      },
      py::arg("threads"), "Threads that native code called from this thread uses; returns how many it used before.");
  BindCircuit(module);
  BindHardware(module);
  BindMatrix(module);
  BindArray(module);
}
