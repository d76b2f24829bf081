// NCCL for devices that are emulated on the host (tests/support/cuda_on_host.hpp): the functions that caffe/src/gpu
// calls, for members that are threads of one process. What a group of calls starts is done at once.
#pragma once

#include <condition_variable>
#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

enum ncclResult_t { ncclSuccess, ncclInvalidArgument, ncclInvalidUsage };
enum ncclDataType_t { ncclFloat, ncclDouble };
enum ncclRedOp_t { ncclSum };
struct ncclUniqueId {
  char internal[128];
};

inline const char* ncclGetErrorString(ncclResult_t result) {
  return result == ncclInvalidUsage ? "invalid usage" : "invalid argument";
}

namespace cuda_on_host {

// What a member brings to an operation, and what it gets.
struct NcclCall {
  const void* send;
  void* receive;
  std::size_t count;
  ncclDataType_t type;
  bool reads, writes;
  int device;
};

class NcclGroup {
 public:
  explicit NcclGroup(int size) : size_(size), calls_(size) {}
  int size() const { return size_; }

  // Waits for all members' calls; the last does what they ask for.
  ncclResult_t Meet(int member, const NcclCall& call) {
    std::unique_lock<std::mutex> lock(mutex_);
    calls_[member] = call;
    if (++here_ < size_) {
      changed_.wait(lock, [this, before = meetings_] { return meetings_ != before; });
      return result_;
    }
    result_ = Do();
    here_ = 0;
    ++meetings_;
    changed_.notify_all();
    return result_;
  }

 private:
  ncclResult_t Do() {
    const NcclCall& first = calls_[0];
    for (const NcclCall& call : calls_) {
      if (call.count != first.count || call.type != first.type) return ncclInvalidArgument;
      if (!devices[call.device].Has(call.send) || !devices[call.device].Has(call.receive)) return ncclInvalidArgument;
    }
    first.type == ncclFloat ? Sum<float>() : Sum<double>();
    return ncclSuccess;
  }
  template <typename T>
  void Sum() {
    const std::size_t bytes = calls_[0].count * sizeof(T);
    std::vector<T> sum(calls_[0].count), values(calls_[0].count);
    for (const NcclCall& call : calls_) {
      if (!call.reads) continue;
      Move(values.data(), call.send, bytes);
      for (std::size_t i = 0; i < sum.size(); ++i) sum[i] += values[i];
    }
    for (const NcclCall& call : calls_) {
      if (call.writes) Move(call.receive, sum.data(), bytes);
    }
  }

  const int size_;
  std::vector<NcclCall> calls_;
  std::mutex mutex_;
  std::condition_variable changed_;
  int here_ = 0;
  long meetings_ = 0;
  ncclResult_t result_ = ncclSuccess;
};

struct NcclPlace {
  std::shared_ptr<NcclGroup> group;
  int member;
  int device;
};

}  // namespace cuda_on_host

using ncclComm_t = cuda_on_host::NcclPlace*;

inline ncclResult_t ncclGetUniqueId(ncclUniqueId* id) {
  static int last = 0;
  std::memset(id, 0, sizeof(*id));
  std::memcpy(id->internal, &++last, sizeof(last));
  return ncclSuccess;
}
inline ncclResult_t ncclCommInitRank(ncclComm_t* place, int count, ncclUniqueId id, int member) {
  static std::mutex mutex;
  static std::map<std::string, std::weak_ptr<cuda_on_host::NcclGroup>> groups;
  if (member < 0 || member >= count) return ncclInvalidArgument;
  const std::lock_guard<std::mutex> lock(mutex);
  std::weak_ptr<cuda_on_host::NcclGroup>& known = groups[std::string(id.internal, sizeof(id.internal))];
  std::shared_ptr<cuda_on_host::NcclGroup> group = known.lock();
  if (group == nullptr) known = group = std::make_shared<cuda_on_host::NcclGroup>(count);
  if (group->size() != count) return ncclInvalidUsage;
  *place = new cuda_on_host::NcclPlace{group, member, cuda_on_host::current_device};
  return ncclSuccess;
}
inline ncclResult_t ncclCommDestroy(ncclComm_t place) { return delete place, ncclSuccess; }
inline ncclResult_t ncclGroupStart() { return ncclSuccess; }
inline ncclResult_t ncclGroupEnd() { return ncclSuccess; }
inline ncclResult_t ncclBroadcast(const void* send, void* receive, std::size_t count, ncclDataType_t type, int root,
                                  ncclComm_t place, cudaStream_t) {
  const bool reads = place->member == root;
  return place->group->Meet(place->member, {send, receive, count, type, reads, true, place->device});
}
inline ncclResult_t ncclReduce(const void* send, void* receive, std::size_t count, ncclDataType_t type, ncclRedOp_t,
                               int root, ncclComm_t place, cudaStream_t) {
  const bool writes = place->member == root;
  return place->group->Meet(place->member, {send, receive, count, type, true, writes, place->device});
}
inline ncclResult_t ncclAllReduce(const void* send, void* receive, std::size_t count, ncclDataType_t type, ncclRedOp_t,
                                  ncclComm_t place, cudaStream_t) {
  return place->group->Meet(place->member, {send, receive, count, type, true, true, place->device});
}
