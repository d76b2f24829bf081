#include "caffe/common.hpp"

#include "caffe/util/plugins.hpp"

namespace caffe {

void GlobalInit(int* pargc, char*** pargv) {
  gflags::ParseCommandLineFlags(pargc, pargv, true);
  google::InitGoogleLogging((*pargv)[0]);
  LoadPlugins();
}

Caffe::Caffe() : rng_(std::random_device{}()) {}

Caffe& Caffe::Get() {
  thread_local Caffe state;
  return state;
}

void Caffe::set_mode(Brew mode) {
  if (mode == GPU) NO_GPU;
  Get().mode_ = mode;
}

void Caffe::set_random_seed(unsigned int seed) { Get().rng_.seed(seed); }

unsigned int caffe_rng_rand() { return Caffe::rng()(); }

}  // namespace caffe
