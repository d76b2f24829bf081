// Module caffe._caffe.
#include <google/protobuf/stubs/logging.h>

#include "caffe/util/plugins.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

void InitLog(int level, bool to_stderr) {
  FLAGS_minloglevel = level;
  FLAGS_logtostderr = to_stderr;
  if (!google::IsGoogleLoggingInitialized()) google::InitGoogleLogging("caffe");
}

void SetModeGpu() {
  CAFFE_REQUIRE(caffe::Caffe::FindDevice() >= 0) << "this build has no GPU support: use CPU mode";
  caffe::Caffe::set_mode(caffe::Caffe::GPU);
}

}  // namespace

void RequireFile(const Path& file) {
  CAFFE_REQUIRE(std::ifstream(file).good()) << "Could not open file " << file.string();
}

}  // namespace pycaffe

PYBIND11_MODULE(_caffe, module) {
  using namespace pycaffe;  // NOLINT: this function is the module

  module.doc() = "The native part of pycaffe.";
  py::register_exception<caffe::Error>(module, "Error", PyExc_RuntimeError);
  // Messages reach Python in the exception; protobuf would print them to stderr as well.
  google::protobuf::SetLogHandler(nullptr);

  caffe::LoadPlugins();

  BindBlob(module);
  BindLayer(module);
  BindNet(module);
  BindNetFiles(module);

  module.attr("__version__") = caffe::kCaffeVersion;
  module.attr("TRAIN") = static_cast<int>(caffe::TRAIN);
  module.attr("TEST") = static_cast<int>(caffe::TEST);
  module.def("set_mode_cpu", [] { caffe::Caffe::set_mode(caffe::Caffe::CPU); });
  module.def("set_mode_gpu", &SetModeGpu, "Raises caffe.Error in a build without CUDA.");
  module.def("set_random_seed", &caffe::Caffe::set_random_seed, py::arg("seed"));
  module.def("layer_type_list", &caffe::LayerRegistry<float>::LayerTypeList, "The layer types there are.");
  module.def(
      "init_log", &InitLog, py::arg("level") = 0, py::arg("stderr") = false,
      "Chooses the least severity that is logged (0 info, 1 warning, 2 error) and whether it goes to stderr alone.");
  module.def(
      "log", [](const std::string& message) { LOG(INFO) << message; }, py::arg("message"));
}
