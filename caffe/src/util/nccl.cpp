#include "caffe/util/nccl.hpp"

namespace caffe {
namespace {

// Before the constructors of other files, which may set it.
Nccl*& TheNccl() {
  static Nccl* nccl = nullptr;
  return nccl;
}

}  // namespace

Nccl* Nccl::Get() { return TheNccl(); }

Nccl& Nccl::Require() {
  CAFFE_REQUIRE(TheNccl() != nullptr) << "this build has no NCCL";
  return *TheNccl();
}

void Nccl::Set(Nccl* nccl) { TheNccl() = nccl; }

}  // namespace caffe
