#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void AdaGradSolver<Dtype>::RequireNoMomentum() const {
  CAFFE_REQUIRE(this->param_.momentum() == 0) << "Momentum cannot be used with AdaGrad.";
}

template <typename Dtype>
template <typename Where>
void AdaGradSolver<Dtype>::UpdateOn(int param_id, Dtype rate) {
  Blob<Dtype>& param = *this->net_->learnable_params()[param_id];
  const Dtype delta = this->param_.delta();
  const Dtype local_rate = this->LocalRate(param_id, rate);
  Dtype* g = Where::MutableDiff(&param);
  Dtype* s = Where::MutableData(this->history_[param_id].get());
  Where::ForEach(param.count(), [=] CAFFE_DEVICE(int i) {
    s[i] += g[i] * g[i];
    g[i] = local_rate * g[i] / (std::sqrt(s[i]) + delta);
  });
}

UPDATE_ON_CPU_AND_GPU(AdaGradSolver);
INSTANTIATE_CLASS(AdaGradSolver);
REGISTER_SOLVER_CLASS(AdaGrad);

}  // namespace caffe
