#include "caffe/sgd_solvers.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void NesterovSolver<Dtype>::ComputeUpdateValue(int param_id, Dtype rate) {
  Blob<Dtype>& param = *this->net_->learnable_params()[param_id];
  const Dtype momentum = this->param_.momentum();
  const Dtype local_rate = this->LocalRate(param_id, rate);
  Dtype* g = param.mutable_cpu_diff();
  Dtype* v = this->history_[param_id]->mutable_cpu_data();
  ForEachElement(param.count(), [=](int i) {
    const Dtype next = momentum * v[i] + local_rate * g[i];
    g[i] = (1 + momentum) * next - momentum * v[i];
    v[i] = next;
  });
}

INSTANTIATE_CLASS(NesterovSolver);
REGISTER_SOLVER_CLASS(Nesterov);

}  // namespace caffe
