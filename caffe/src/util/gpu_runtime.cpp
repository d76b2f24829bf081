#include "caffe/util/gpu_runtime.hpp"

namespace caffe {
namespace {

// Before the constructors of other files, which may set it.
GpuRuntime*& TheRuntime() {
  static GpuRuntime* runtime = nullptr;
  return runtime;
}

}  // namespace

GpuRuntime* GpuRuntime::Get() { return TheRuntime(); }

GpuRuntime& GpuRuntime::Require() {
  if (TheRuntime() == nullptr) NO_GPU;
  return *TheRuntime();
}

void GpuRuntime::Set(GpuRuntime* runtime) { TheRuntime() = runtime; }

void UseGpu(int device) {
  Caffe::SetDevice(device);
  CAFFE_REQUIRE(Caffe::CheckDevice(device)) << "GPU " << device << " cannot be used now";
  Caffe::set_mode(Caffe::GPU);
}

}  // namespace caffe
