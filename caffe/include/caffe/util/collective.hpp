// What the GPUs of one training do together with their gradients and weights.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"

namespace caffe {

// Arrays in the memory of one GPU. Those of all members of a group are as many, of the same lengths.
template <typename Dtype>
struct DeviceArray {
  Dtype* data;
  int count;
};
template <typename Dtype>
using DeviceArrays = vector<DeviceArray<Dtype>>;

// A group of GPUs, each worked on by a thread of its own, member number 0, 1, ... All members call the same function,
// with their own arrays; it waits for the others and for the work on the member's GPU, and is done when it returns.
template <typename Dtype>
class Collective {
 public:
  virtual ~Collective() = default;
  // Everybody's arrays get the values of member 0's.
  virtual void Broadcast(int member, const DeviceArrays<Dtype>& arrays) = 0;
  // Member 0's arrays get the sum over all; those of others are undefined afterwards.
  virtual void SumToFirst(int member, const DeviceArrays<Dtype>& arrays) = 0;

  // By NCCL where the build has it, else by copies.
  static std::unique_ptr<Collective> Make(const vector<int>& devices);
};

// By copies from GPU to GPU in pairs: sums in log2(members) steps, and back. An error of one member, which reaches its
// caller, ends the call of the others with an error too.
template <typename Dtype>
class CopyCollective : public Collective<Dtype> {
 public:
  // The GPU of each member.
  explicit CopyCollective(const vector<int>& devices);

  void Broadcast(int member, const DeviceArrays<Dtype>& arrays) override;
  void SumToFirst(int member, const DeviceArrays<Dtype>& arrays) override;

 private:
  // Runs a member's part. An error breaks the group.
  template <typename Part>
  void Take(int member, const DeviceArrays<Dtype>& arrays, Part part);
  // Until all members are here.
  void Meet();
  int size() const { return static_cast<int>(devices_.size()); }

  vector<int> devices_;
  vector<DeviceArrays<Dtype>> arrays_;        // of each member
  vector<shared_ptr<Blob<Dtype>>> received_;  // on each member's GPU
  std::mutex mutex_;
  std::condition_variable changed_;
  int here_ = 0;
  int64_t meetings_ = 0;
  bool broken_ = false;

  DISABLE_COPY_AND_ASSIGN(CopyCollective);
};

}  // namespace caffe
