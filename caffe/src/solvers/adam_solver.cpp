#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void AdamSolver<Dtype>::UpdateOn(int param_id, Dtype rate) {
  const auto& params = this->net_->learnable_params();
  const Dtype b1 = this->param_.momentum();
  const Dtype b2 = this->param_.momentum2();
  const Dtype delta = this->param_.delta();
  const double t = this->iter_ + 1;
  const double correction =
      std::sqrt(1 - std::pow(double{this->param_.momentum2()}, t)) / (1 - std::pow(double{this->param_.momentum()}, t));
  const Dtype step = static_cast<Dtype>(this->LocalRate(param_id, rate) * correction);
  Dtype* g = Where::MutableDiff(params[param_id]);
  Dtype* p = Where::MutableData(this->history_[param_id].get());
  Dtype* q = Where::MutableData(this->history_[params.size() + param_id].get());
  Where::ForEach(params[param_id]->count(), [=] CAFFE_DEVICE(int i) {
    p[i] = b1 * p[i] + (1 - b1) * g[i];
    q[i] = b2 * q[i] + (1 - b2) * g[i] * g[i];
    g[i] = step * p[i] / (std::sqrt(q[i]) + delta);
  });
}

UPDATE_ON_CPU_AND_GPU(AdamSolver);
INSTANTIATE_CLASS(AdamSolver);
REGISTER_SOLVER_CLASS(Adam);

}  // namespace caffe
