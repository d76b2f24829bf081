// libcaffe_python.so: the interpreter for programs without one, such as `caffe`, whose net has a Python layer.
// libcaffe.so loads it by name when the first such layer is made.
#include <pybind11/pybind11.h>

#include <cstdlib>
#include <filesystem>

#include "caffe/error.hpp"

namespace {

namespace py = pybind11;

PyThreadState* main_thread = nullptr;

// What print() left in its buffers is written, and atexit functions of modules run.
void StopPython() {
  PyEval_RestoreThread(main_thread);
  Py_FinalizeEx();
}

void Initialize() {
  PyConfig config;
  PyConfig_InitPythonConfig(&config);
  config.install_signal_handlers = 0;  // Ctrl-C stays with the program
  // The interpreter that RxNN was built for: its environment holds NumPy. PYTHONPATH counts as usual.
  PyStatus status = PyConfig_SetBytesString(&config, &config.program_name, RXNN_PYTHON_EXECUTABLE);
  if (!PyStatus_Exception(status)) status = Py_InitializeFromConfig(&config);
  PyConfig_Clear(&config);
  CAFFE_REQUIRE(!PyStatus_Exception(status)) << "Python does not start: " << status.err_msg;
  main_thread = PyEval_SaveThread();
  std::atexit(&StopPython);
}

// The engine's own package before any other called caffe; modules in the working folder after all others.
void ImportCaffe() {
  auto path = py::module_::import("sys").attr("path").cast<py::list>();
  path.insert(0, RXNN_PYTHON_FOLDER);
  path.append(std::filesystem::current_path().string());
  py::module_::import("caffe");
}

}  // namespace

extern "C" __attribute__((visibility("default"))) void caffe_start_python() {
  if (!Py_IsInitialized()) Initialize();
  const PyGILState_STATE state = PyGILState_Ensure();
  std::string error;
  try {
    ImportCaffe();
  } catch (const py::error_already_set& failure) {
    error = failure.what();
  }
  PyGILState_Release(state);
  CAFFE_REQUIRE(error.empty()) << "cannot import caffe in " << RXNN_PYTHON_EXECUTABLE << ": " << error;
}
