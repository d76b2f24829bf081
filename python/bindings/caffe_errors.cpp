// Errors of the engine become caffe.Error; what Python raised inside the engine (in a Python layer) is raised again as
// it was.
#include <algorithm>
#include <exception>

#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

// " (layers.py:12, in forward)" for the innermost frame.
std::string Place(const py::error_already_set& error) {
  py::object trace = error.trace();
  if (!trace || trace.is_none()) return "";
  while (!trace.attr("tb_next").is_none()) trace = trace.attr("tb_next");
  const py::object code = trace.attr("tb_frame").attr("f_code");
  const Path file = code.attr("co_filename").cast<std::string>();
  return " (" + file.filename().string() + ":" + py::str(trace.attr("tb_lineno")).cast<std::string>() + ", in " +
         code.attr("co_name").cast<std::string>() + ")";
}

std::string Describe(const py::error_already_set& error) {
  return error.type().attr("__name__").cast<std::string>() + ": " + py::str(error.value()).cast<std::string>() +
         Place(error);
}

// The Python exception an error began with, if it did; owned by `error`.
const PythonError* Cause(const std::exception& error) {
  if (const auto* python = dynamic_cast<const PythonError*>(&error)) return python;
  const auto* outer = dynamic_cast<const std::nested_exception*>(&error);
  if (outer == nullptr || outer->nested_ptr() == nullptr) return nullptr;
  try {
    outer->rethrow_nested();
  } catch (const std::exception& inner) {
    return Cause(inner);
  } catch (...) {
    return nullptr;
  }
}

PyObject* error_class = nullptr;

void Translate(std::exception_ptr pointer) {
  try {
    if (pointer) std::rethrow_exception(pointer);
  } catch (const caffe::Error& error) {
    if (const PythonError* cause = Cause(error)) {
      // What the engine wrote in front says where it happened: "layer 'x' (Python): ".
      std::string place = error.what();
      place.resize(std::min(place.size(), place.rfind(cause->what())));
      while (!place.empty() && (place.back() == ' ' || place.back() == ':')) place.pop_back();
      cause->Restore(place);
    } else {
      PyErr_SetObject(error_class, ToStr(error.what()).ptr());
    }
  }
}

}  // namespace

PythonError::PythonError(const py::error_already_set& error, const char* hint)
    : caffe::Error(Describe(error) + hint), exception_(new py::object(error.value()), [](py::object* exception) {
        const py::gil_scoped_acquire locked;
        delete exception;
      }) {
  if (error.trace()) PyException_SetTraceback(exception_->ptr(), error.trace().ptr());
}

void PythonError::Restore(const std::string& place) const {
  if (!place.empty()) exception_->attr("add_note")("in " + place);
  PyErr_SetObject(reinterpret_cast<PyObject*>(Py_TYPE(exception_->ptr())), exception_->ptr());
}

void BindErrors(py::module_& module) {
  error_class =
      PyErr_NewExceptionWithDoc("caffe.Error", "What the engine refuses, in one line.", PyExc_RuntimeError, nullptr);
  if (error_class == nullptr) throw py::error_already_set();
  module.attr("Error") = py::handle(error_class);
  py::register_exception_translator(&Translate);
}

}  // namespace pycaffe
