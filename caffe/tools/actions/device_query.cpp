#include <cblas.h>
#include <omp.h>

#include "actions.hpp"

namespace caffe::tools {
namespace {

[[noreturn]] void ThrowNoGpu(const string& gpu) {
  throw Error("--gpu=" + gpu + ": this build has no GPU support; leave --gpu out to compute on the CPU");
}

}  // namespace

void UseDevice(const string& gpu) {
  if (!gpu.empty()) ThrowNoGpu(gpu);
  LOG(INFO) << "Use CPU.";
  Caffe::set_mode(Caffe::CPU);
}

void DeviceQuery(const string& gpu) {
  LOG(INFO) << "Querying GPUs " << gpu;
  if (!gpu.empty()) ThrowNoGpu(gpu);
  LOG(INFO) << "This build computes on the CPU: " << omp_get_max_threads() << " threads, OpenBLAS kernels for "
            << openblas_get_corename();
}

}  // namespace caffe::tools
