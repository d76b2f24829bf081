#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void AdaDeltaSolver<Dtype>::ComputeUpdateValue(int param_id, Dtype rate) {
  const auto& params = this->net_->learnable_params();
  const Dtype delta = this->param_.delta();
  const Dtype decay = this->param_.momentum();
  const Dtype local_rate = this->LocalRate(param_id, rate);
  Dtype* g = params[param_id]->mutable_cpu_diff();
  Dtype* s = this->history_[param_id]->mutable_cpu_data();
  Dtype* t = this->history_[params.size() + param_id]->mutable_cpu_data();
  ForEachElement(params[param_id]->count(), [=](int i) {
    s[i] = decay * s[i] + (1 - decay) * g[i] * g[i];
    const Dtype r = g[i] * std::sqrt((t[i] + delta) / (s[i] + delta));
    t[i] = decay * t[i] + (1 - decay) * r * r;
    g[i] = local_rate * r;
  });
}

INSTANTIATE_CLASS(AdaDeltaSolver);
REGISTER_SOLVER_CLASS(AdaDelta);

}  // namespace caffe
