#include "caffe/util/gpu_runtime.hpp"

#include <algorithm>

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

void UseGpus(const vector<int>& devices) {
  CAFFE_REQUIRE(!devices.empty()) << "no GPU is named";
  for (auto device = devices.rbegin(); device != devices.rend(); ++device) {
    CAFFE_REQUIRE(std::count(devices.begin(), devices.end(), *device) == 1) << "GPU " << *device << " is named twice";
    UseGpu(*device);
  }
}

}  // namespace caffe
