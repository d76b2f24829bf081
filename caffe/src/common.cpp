#include "caffe/common.hpp"

#include "caffe/util/gpu_runtime.hpp"
#include "caffe/util/plugins.hpp"

namespace caffe {

void GlobalInit(int* pargc, char*** pargv) {
  gflags::ParseCommandLineFlags(pargc, pargv, true);
  google::InitGoogleLogging((*pargv)[0]);
  LoadPlugins();
}

Caffe::RNG::RNG() : RNG(std::random_device{}()) {}

Caffe::RNG::RNG(unsigned int seed) : generator_(std::make_shared<std::mt19937>(seed)) {}

Caffe& Caffe::Get() {
  thread_local Caffe state;
  return state;
}

void Caffe::set_random_seed(unsigned int seed) { Get().rng_stream_ = RNG(seed); }

void Caffe::SetDevice(int device_id) {
  GpuRuntime& gpu = GpuRuntime::Require();
  const int count = gpu.CountDevices();
  CAFFE_REQUIRE(device_id >= 0 && device_id < count)
      << "there is no GPU " << device_id << ": there are " << count << ", numbered from 0";
  gpu.SetDevice(device_id);
}

void Caffe::DeviceQuery() { LOG(INFO) << GpuRuntime::Require().Description(); }

bool Caffe::CheckDevice(int device_id) {
  GpuRuntime* gpu = GpuRuntime::Get();
  return gpu != nullptr && device_id >= 0 && device_id < gpu->CountDevices() && gpu->CanUse(device_id);
}

int Caffe::FindDevice(int start_id) {
  const int count = GpuRuntime::Get() == nullptr ? 0 : GpuRuntime::Get()->CountDevices();
  for (int id = start_id; id < count; ++id) {
    if (CheckDevice(id)) return id;
  }
  return -1;
}

unsigned int caffe_rng_rand() { return Caffe::rng()(); }

}  // namespace caffe
