// Nccl by NCCL: in builds that find it.
#include <nccl.h>

#include <cstring>

#include "caffe/util/nccl.hpp"
#include "on_gpu.cuh"

namespace caffe {
namespace {

void CheckNccl(ncclResult_t result) {
  if (result != ncclSuccess) throw Error(string("NCCL: ") + ncclGetErrorString(result));
}

ncclDataType_t TypeOf(const float*) { return ncclFloat; }
ncclDataType_t TypeOf(const double*) { return ncclDouble; }

class MemberByNccl : public NcclMember {
 public:
  MemberByNccl(int member, int count, const ncclUniqueId& id) {
    CheckNccl(ncclCommInitRank(&group_, count, id, member));
  }
  ~MemberByNccl() override { ncclCommDestroy(group_); }

  void Broadcast(const DeviceArrays<float>& arrays) override { DoBroadcast(arrays); }
  void Broadcast(const DeviceArrays<double>& arrays) override { DoBroadcast(arrays); }
  void SumToFirst(const DeviceArrays<float>& arrays) override { DoSumToFirst(arrays); }
  void SumToFirst(const DeviceArrays<double>& arrays) override { DoSumToFirst(arrays); }
  void SumToAll(const DeviceArrays<float>& arrays) override { DoSumToAll(arrays); }
  void SumToAll(const DeviceArrays<double>& arrays) override { DoSumToAll(arrays); }

 private:
  // operation(array) for all, on the default stream, as one for NCCL; they are done when this returns.
  template <typename Dtype, typename Operation>
  void ForAll(const DeviceArrays<Dtype>& arrays, Operation operation) {
    CheckNccl(ncclGroupStart());
    for (const DeviceArray<Dtype>& array : arrays) {
      if (array.count > 0) CheckNccl(operation(array));
    }
    CheckNccl(ncclGroupEnd());
    gpu::Check(cudaStreamSynchronize(nullptr), "exchange between GPUs");
  }
  template <typename Dtype>
  void DoBroadcast(const DeviceArrays<Dtype>& arrays) {
    ForAll(arrays, [this](const DeviceArray<Dtype>& a) {
      return ncclBroadcast(a.data, a.data, a.count, TypeOf(a.data), 0, group_, nullptr);
    });
  }
  template <typename Dtype>
  void DoSumToFirst(const DeviceArrays<Dtype>& arrays) {
    ForAll(arrays, [this](const DeviceArray<Dtype>& a) {
      return ncclReduce(a.data, a.data, a.count, TypeOf(a.data), ncclSum, 0, group_, nullptr);
    });
  }
  template <typename Dtype>
  void DoSumToAll(const DeviceArrays<Dtype>& arrays) {
    ForAll(arrays, [this](const DeviceArray<Dtype>& a) {
      return ncclAllReduce(a.data, a.data, a.count, TypeOf(a.data), ncclSum, group_, nullptr);
    });
  }

  ncclComm_t group_ = nullptr;
};

class NvidiaNccl : public Nccl {
 public:
  string NewId() override {
    ncclUniqueId id;
    CheckNccl(ncclGetUniqueId(&id));
    return string(reinterpret_cast<const char*>(&id), sizeof(id));
  }
  std::unique_ptr<NcclMember> Join(int member, int count, const string& id) override {
    ncclUniqueId of_group;
    CAFFE_REQUIRE(id.size() == sizeof(of_group))
        << "a group of NCCL is named by the " << sizeof(of_group) << " bytes of new_uid, got " << id.size();
    std::memcpy(&of_group, id.data(), sizeof(of_group));
    return std::make_unique<MemberByNccl>(member, count, of_group);
  }
};

// Not destroyed, as GpuRuntime's.
[[maybe_unused]] const bool g_has_nccl = (Nccl::Set(new NvidiaNccl), true);

}  // namespace
}  // namespace caffe
