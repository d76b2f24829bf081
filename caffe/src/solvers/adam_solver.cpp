#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void AdamSolver<Dtype>::ComputeUpdateValue(int param_id, Dtype rate) {
  const auto& params = this->net_->learnable_params();
  const Dtype b1 = this->param_.momentum();
  const Dtype b2 = this->param_.momentum2();
  const Dtype delta = this->param_.delta();
  const double t = this->iter_ + 1;
  const double correction =
      std::sqrt(1 - std::pow(double{this->param_.momentum2()}, t)) / (1 - std::pow(double{this->param_.momentum()}, t));
  const Dtype step = static_cast<Dtype>(this->LocalRate(param_id, rate) * correction);
  Dtype* g = params[param_id]->mutable_cpu_diff();
  Dtype* p = this->history_[param_id]->mutable_cpu_data();
  Dtype* q = this->history_[params.size() + param_id]->mutable_cpu_data();
  ForEachElement(params[param_id]->count(), [=](int i) {
    p[i] = b1 * p[i] + (1 - b1) * g[i];
    q[i] = b2 * q[i] + (1 - b2) * g[i] * g[i];
    g[i] = step * p[i] / (std::sqrt(q[i]) + delta);
  });
}

INSTANTIATE_CLASS(AdamSolver);
REGISTER_SOLVER_CLASS(Adam);

}  // namespace caffe
