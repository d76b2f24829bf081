// NCCL, NVIDIA's collective operations on several GPUs, in one process or in many. The part of the engine that is
// compiled with NCCL (caffe/src/gpu/nccl.cu) says how; a build without it has none.
#pragma once

#include <memory>
#include <string>

#include "caffe/util/collective.hpp"

namespace caffe {

// One GPU's place in a group. All members call the same functions, each from its thread with its GPU as the current
// device; what they do to the arrays is done when they return.
class NcclMember {
 public:
  virtual ~NcclMember() = default;
  virtual void Broadcast(const DeviceArrays<float>& arrays) = 0;
  virtual void Broadcast(const DeviceArrays<double>& arrays) = 0;
  virtual void SumToFirst(const DeviceArrays<float>& arrays) = 0;
  virtual void SumToFirst(const DeviceArrays<double>& arrays) = 0;
  virtual void SumToAll(const DeviceArrays<float>& arrays) = 0;
  virtual void SumToAll(const DeviceArrays<double>& arrays) = 0;
};

class Nccl {
 public:
  virtual ~Nccl() = default;

  // Null in a build without NCCL.
  static Nccl* Get();
  // The same; throws Error where there is none.
  static Nccl& Require();
  static void Set(Nccl* nccl);

  // The name of a new group: bytes that all members must be given.
  virtual string NewId() = 0;
  // Makes the current device a member; returns when all `count` have joined.
  virtual std::unique_ptr<NcclMember> Join(int member, int count, const string& id) = 0;
};

}  // namespace caffe
