// Module caffe._caffe.
#include <google/protobuf/stubs/logging.h>

#include <map>
#include <utility>

#include "caffe/util/io.hpp"
#include "caffe/util/plugins.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {

void RequireFile(const Path& file) {
  if (std::filesystem::exists(file)) caffe::RequireFile(file.string());
  CAFFE_REQUIRE(std::ifstream(file).good()) << "Could not open file " << file.string();
}

py::str ToStr(const std::string& text) {
  PyObject* decoded = PyUnicode_DecodeUTF8(text.data(), static_cast<py::ssize_t>(text.size()), "backslashreplace");
  if (decoded == nullptr) throw py::error_already_set();
  return py::reinterpret_steal<py::str>(decoded);
}

void KeepWith(const std::shared_ptr<void>& owner, std::shared_ptr<void> kept) {
  using Kept = std::multimap<std::weak_ptr<void>, std::shared_ptr<void>, std::owner_less<>>;
  static auto* all = new Kept;  // never destroyed: Python may be gone by then
  for (auto entry = all->begin(); entry != all->end();) {
    entry = entry->first.expired() ? all->erase(entry) : std::next(entry);
  }
  all->emplace(owner, std::move(kept));
}

}  // namespace pycaffe

PYBIND11_MODULE(_caffe, module) {
  using namespace pycaffe;  // NOLINT: this function is the module

  module.doc() = "The native part of pycaffe.";
  // Messages reach Python in the exception; protobuf would print them to stderr as well.
  google::protobuf::SetLogHandler(nullptr);

  caffe::LoadPlugins();

  BindErrors(module);
  BindVectors(module);
  BindBlob(module);
  BindLayer(module);
  BindNet(module);
  BindNetFiles(module);
  BindModes(module);
  BindSolver(module);
  BindParallel(module);

  module.attr("__version__") = caffe::kCaffeVersion;
  module.attr("TRAIN") = static_cast<int>(caffe::TRAIN);
  module.attr("TEST") = static_cast<int>(caffe::TEST);
}
