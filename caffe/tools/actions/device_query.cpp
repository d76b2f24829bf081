#include <cblas.h>
#include <omp.h>

#include <algorithm>
#include <charconv>

#include "actions.hpp"
#include "caffe/util/gpu_runtime.hpp"

namespace caffe::tools {
namespace {

// The numbers in --gpu.
vector<int> Devices(const string& gpu) {
  CAFFE_REQUIRE(GpuRuntime::Get() != nullptr)
      << "--gpu=" << gpu << ": this build has no GPU support; leave --gpu out to compute on the CPU";
  vector<int> devices;
  if (gpu == "all") {
    const int count = GpuRuntime::Require().CountDevices();
    for (int device = 0; device < count; ++device) devices.push_back(device);
    CAFFE_REQUIRE(count > 0) << "--gpu=all: there is no GPU here; leave --gpu out to compute on the CPU";
    return devices;
  }
  for (size_t begin = 0; begin <= gpu.size();) {
    const size_t end = std::min(gpu.find(',', begin), gpu.size());
    int device = 0;
    const auto [rest, error] = std::from_chars(gpu.data() + begin, gpu.data() + end, device);
    CAFFE_REQUIRE(error == std::errc() && rest == gpu.data() + end)
        << "--gpu=" << gpu << ": expected numbers of GPUs, separated by commas, or 'all'";
    devices.push_back(device);
    begin = end + 1;
  }
  return devices;
}

}  // namespace

vector<int> UseDevices(const string& gpu) {
  if (gpu.empty()) {
    LOG(INFO) << "Use CPU.";
    Caffe::set_mode(Caffe::CPU);
    return {};
  }
  const vector<int> devices = Devices(gpu);
  if (devices.size() == 1) {
    LOG(INFO) << "Use GPU with device ID " << devices[0];
  } else {
    ostringstream list;
    for (const int device : devices) list << (device == devices[0] ? "" : ", ") << device;
    LOG(INFO) << "Using GPUs " << list.str();
  }
  UseGpus(devices);
  return devices;
}

void UseDevice(const string& gpu) {
  const size_t count = UseDevices(gpu).size();
  CAFFE_REQUIRE(count <= 1) << "--gpu=" << gpu << " names " << count << " GPUs; this runs on one of them: name that";
}

void DeviceQuery(const string& gpu) {
  LOG(INFO) << "Querying GPUs " << gpu;
  if (gpu.empty()) {
    LOG(INFO) << "This build computes on the CPU" << (GpuRuntime::Get() != nullptr ? " and on GPUs" : "") << ": "
              << omp_get_max_threads() << " threads, OpenBLAS kernels for " << openblas_get_corename();
    return;
  }
  for (const int device : Devices(gpu)) {
    Caffe::SetDevice(device);
    Caffe::DeviceQuery();
  }
}

}  // namespace caffe::tools
