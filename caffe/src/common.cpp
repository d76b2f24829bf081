#include "caffe/common.hpp"

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

void Caffe::SetDevice(int /*device_id*/) { NO_GPU; }

void Caffe::DeviceQuery() { NO_GPU; }

bool Caffe::CheckDevice(int /*device_id*/) { return false; }

int Caffe::FindDevice(int /*start_id*/) { return -1; }

unsigned int caffe_rng_rand() { return Caffe::rng()(); }

}  // namespace caffe
