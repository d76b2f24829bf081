#include "caffe/util/collective.hpp"

#include "caffe/util/gpu_runtime.hpp"
#include "caffe/util/nccl.hpp"

namespace caffe {
namespace {

template <typename Dtype>
class NcclCollective : public Collective<Dtype> {
 public:
  explicit NcclCollective(int size) : id_(Nccl::Require().NewId()), members_(size) {}

  void Broadcast(int member, const DeviceArrays<Dtype>& arrays) override { Member(member).Broadcast(arrays); }
  void SumToFirst(int member, const DeviceArrays<Dtype>& arrays) override { Member(member).SumToFirst(arrays); }

 private:
  // Joins in the member's thread, which is on its GPU.
  NcclMember& Member(int member) {
    std::unique_ptr<NcclMember>& joined = members_[member];
    if (joined == nullptr) joined = Nccl::Require().Join(member, static_cast<int>(members_.size()), id_);
    return *joined;
  }

  string id_;
  vector<std::unique_ptr<NcclMember>> members_;
};

}  // namespace

template <typename Dtype>
std::unique_ptr<Collective<Dtype>> Collective<Dtype>::Make(const vector<int>& devices) {
  if (Nccl::Get() != nullptr) return std::make_unique<NcclCollective<Dtype>>(static_cast<int>(devices.size()));
  return std::make_unique<CopyCollective<Dtype>>(devices);
}

template <typename Dtype>
CopyCollective<Dtype>::CopyCollective(const vector<int>& devices)
    : devices_(devices), arrays_(devices.size()), received_(devices.size()) {}

template <typename Dtype>
void CopyCollective<Dtype>::Meet() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!broken_ && ++here_ == size()) {
    here_ = 0;
    ++meetings_;
    changed_.notify_all();
  } else {
    changed_.wait(lock, [this, before = meetings_] { return broken_ || meetings_ != before; });
  }
  CAFFE_REQUIRE(!broken_) << "the exchange between GPUs ended with an error of another GPU";
}

template <typename Dtype>
template <typename Part>
void CopyCollective<Dtype>::Take(int member, const DeviceArrays<Dtype>& arrays, Part part) {
  try {
    if (received_[member] == nullptr) {
      for (const int device : devices_) {
        if (device != devices_[member]) GpuRuntime::Require().ConnectTo(device);
      }
      received_[member] = std::make_shared<Blob<Dtype>>();
    }
    arrays_[member] = arrays;
    GpuRuntime::Require().Synchronize();
    Meet();
    part();
    // Nobody goes on with what another still reads.
    GpuRuntime::Require().Synchronize();
    Meet();
  } catch (...) {
    const std::lock_guard<std::mutex> lock(mutex_);
    broken_ = true;
    changed_.notify_all();
    throw;
  }
}

// In step s member m has what the members from m to m + 2^s - 1 had at first, where 2^s divides m.
template <typename Dtype>
void CopyCollective<Dtype>::SumToFirst(int member, const DeviceArrays<Dtype>& arrays) {
  GpuRuntime& gpu = GpuRuntime::Require();
  Take(member, arrays, [&] {
    for (int step = 1; step < size(); step *= 2) {
      const int other = member + step;
      if (member % (2 * step) == 0 && other < size()) {
        for (size_t i = 0; i < arrays.size(); ++i) {
          const DeviceArray<Dtype>& to = arrays[i];
          received_[member]->Reshape({to.count});
          Dtype* values = received_[member]->mutable_gpu_data();
          gpu.BetweenDevices(values, devices_[member], arrays_[other][i].data, devices_[other],
                             sizeof(Dtype) * to.count);
          gpu.Axpy(to.count, Dtype(1), values, to.data);
        }
        gpu.Synchronize();
      }
      Meet();
    }
  });
}

// The same steps, backwards.
template <typename Dtype>
void CopyCollective<Dtype>::Broadcast(int member, const DeviceArrays<Dtype>& arrays) {
  GpuRuntime& gpu = GpuRuntime::Require();
  int step = 1;
  while (step < size()) step *= 2;
  Take(member, arrays, [&] {
    for (step /= 2; step > 0; step /= 2) {
      if (member % (2 * step) == step) {
        const int other = member - step;
        for (size_t i = 0; i < arrays.size(); ++i) {
          gpu.BetweenDevices(arrays[i].data, devices_[member], arrays_[other][i].data, devices_[other],
                             sizeof(Dtype) * arrays[i].count);
        }
        gpu.Synchronize();
      }
      Meet();
    }
  });
}

template class Collective<float>;
template class Collective<double>;
template class CopyCollective<float>;
template class CopyCollective<double>;

}  // namespace caffe
