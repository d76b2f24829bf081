#include "caffe/layers/python_layer.hpp"

#include <dlfcn.h>

#include <atomic>
#include <filesystem>
#include <mutex>
#include <type_traits>

#include "caffe/layer_factory.hpp"

namespace caffe {
namespace {

std::atomic<PythonLayerFactory> factory{nullptr};

// Loads what holds the interpreter; it imports caffe, which sets the factory.
void StartPython() {
  static std::mutex mutex;
  const std::lock_guard<std::mutex> lock(mutex);
  if (factory != nullptr) return;
  Dl_info self{};
  CHECK(dladdr(reinterpret_cast<void*>(&SetPythonLayerFactory), &self)) << "the engine is in no file";
  const std::filesystem::path file = std::filesystem::canonical(self.dli_fname).parent_path() / "libcaffe_python.so";
  // Global, because extension modules such as NumPy's look for the interpreter among the global symbols.
  void* library = dlopen(file.c_str(), RTLD_NOW | RTLD_GLOBAL);
  CAFFE_REQUIRE(library != nullptr) << "Python cannot be started (was RxNN built without its Python modules?): "
                                    << dlerror();
  const auto start = reinterpret_cast<void (*)()>(dlsym(library, "caffe_start_python"));
  CAFFE_REQUIRE(start != nullptr) << file << " belongs to another version of RxNN: " << dlerror();
  start();
  CAFFE_REQUIRE(factory != nullptr) << "the Python module caffe._caffe that was found belongs to another libcaffe.so "
                                    << "than " << self.dli_fname;
}

}  // namespace

void SetPythonLayerFactory(PythonLayerFactory new_factory) { factory = new_factory; }

template <typename Dtype>
shared_ptr<Layer<Dtype>> GetPythonLayer(const LayerParameter& param) {
  if constexpr (std::is_same_v<Dtype, float>) {
    if (factory == nullptr) StartPython();
    return factory.load()(param);
  } else {
    throw Error("Python layers work on float, not on double");
  }
}

REGISTER_LAYER_CREATOR(Python, GetPythonLayer);

}  // namespace caffe
