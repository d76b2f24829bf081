#include "caffe/parallel.hpp"

#include <utility>

namespace caffe {
namespace {

template <typename Dtype>
DeviceArrays<Dtype> WeightsOf(const Net<Dtype>& net) {
  DeviceArrays<Dtype> arrays;
  for (Blob<Dtype>* param : net.learnable_params()) arrays.push_back({param->mutable_gpu_data(), param->count()});
  return arrays;
}

template <typename Dtype>
DeviceArrays<Dtype> GradientsOf(const Net<Dtype>& net) {
  DeviceArrays<Dtype> arrays;
  for (Blob<Dtype>* param : net.learnable_params()) arrays.push_back({param->mutable_gpu_diff(), param->count()});
  return arrays;
}

template <typename Dtype>
void Divide(const Net<Dtype>& net, int count) {
  for (Blob<Dtype>* param : net.learnable_params()) param->scale_diff(Dtype(1) / count);
}

}  // namespace

template <typename Dtype>
DataParallel<Dtype>::DataParallel(Solver<Dtype>* solver, const vector<int>& devices)
    : DataParallel(solver, devices, Collective<Dtype>::Make(devices)) {}

template <typename Dtype>
DataParallel<Dtype>::DataParallel(Solver<Dtype>* solver, const vector<int>& devices,
                                  std::unique_ptr<Collective<Dtype>> collective)
    : solver_(solver), collective_(std::move(collective)) {
  const int count = static_cast<int>(devices.size());
  for (int rank = 1; rank < count; ++rank) {
    const int64_t given = solver->param().random_seed();
    const unsigned seed = given >= 0 ? static_cast<unsigned>(given + rank) : caffe_rng_rand();
    replicas_.push_back(std::make_unique<NetReplica<Dtype>>(solver->net().get(), devices[rank], rank, count, seed));
  }
  solver->add_callback(this);
}

template <typename Dtype>
template <typename Work>
void DataParallel<Dtype>::OnAll(Work work) {
  // What was started before has ended well everywhere: nobody waits for one that has failed.
  for (const auto& replica : replicas_) replica->thread().Wait();
  for (size_t i = 0; i < replicas_.size(); ++i) {
    NetReplica<Dtype>& replica = *replicas_[i];
    const int rank = static_cast<int>(i) + 1;
    replica.thread().Start([&replica, rank, work] { work(rank, replica.net()); });
  }
  work(0, *solver_->net());
  for (const auto& replica : replicas_) replica->thread().Wait();
}

template <typename Dtype>
void DataParallel<Dtype>::on_start() {
  OnAll([this](int rank, Net<Dtype>& net) {
    collective_->Broadcast(rank, WeightsOf(net));
    if (rank > 0) net.ClearParamDiffs();
  });
}

template <typename Dtype>
void DataParallel<Dtype>::on_pass() {
  for (const auto& replica : replicas_) {
    replica->TakeBatch();
    replica->thread().Start([&net = replica->net()] { net.ForwardBackward(); });
  }
}

template <typename Dtype>
void DataParallel<Dtype>::on_gradients_ready() {
  OnAll([this](int rank, Net<Dtype>& net) { collective_->SumToFirst(rank, GradientsOf(net)); });
  Divide(*solver_->net(), static_cast<int>(replicas_.size()) + 1);
}

template <typename Dtype>
NCCL<Dtype>::NCCL(const shared_ptr<Solver<Dtype>>& solver, const string& uid)
    : solver_(solver), member_(Nccl::Require().Join(Caffe::solver_rank(), Caffe::solver_count(), uid)) {}

template <typename Dtype>
Net<Dtype>& NCCL<Dtype>::net() const {
  const shared_ptr<Solver<Dtype>> solver = solver_.lock();
  CAFFE_REQUIRE(solver != nullptr) << "the solver of this member of a group of GPUs is gone";
  return *solver->net();
}

template <typename Dtype>
void NCCL<Dtype>::Broadcast() {
  member_->Broadcast(WeightsOf(net()));
}

template <typename Dtype>
void NCCL<Dtype>::on_gradients_ready() {
  member_->SumToAll(GradientsOf(net()));
  Divide(net(), Caffe::solver_count());
}

INSTANTIATE_CLASS(DataParallel);
INSTANTIATE_CLASS(NCCL);

}  // namespace caffe
