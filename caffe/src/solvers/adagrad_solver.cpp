#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void AdaGradSolver<Dtype>::RequireNoMomentum() const {
  CAFFE_REQUIRE(this->param_.momentum() == 0) << "Momentum cannot be used with AdaGrad.";
}

template <typename Dtype>
void AdaGradSolver<Dtype>::ComputeUpdateValue(int param_id, Dtype rate) {
  Blob<Dtype>& param = *this->net_->learnable_params()[param_id];
  const Dtype delta = this->param_.delta();
  const Dtype local_rate = this->LocalRate(param_id, rate);
  Dtype* g = param.mutable_cpu_diff();
  Dtype* s = this->history_[param_id]->mutable_cpu_data();
  ForEachElement(param.count(), [=](int i) {
    s[i] += g[i] * g[i];
    g[i] = local_rate * g[i] / (std::sqrt(s[i]) + delta);
  });
}

INSTANTIATE_CLASS(AdaGradSolver);
REGISTER_SOLVER_CLASS(AdaGrad);

}  // namespace caffe
