#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void AdaDeltaSolver<Dtype>::UpdateOn(int param_id, Dtype rate) {
  const auto& params = this->net_->learnable_params();
  const Dtype delta = this->param_.delta();
  const Dtype decay = this->param_.momentum();
  const Dtype local_rate = this->LocalRate(param_id, rate);
  Dtype* g = Where::MutableDiff(params[param_id]);
  Dtype* s = Where::MutableData(this->history_[param_id].get());
  Dtype* t = Where::MutableData(this->history_[params.size() + param_id].get());
  Where::ForEach(params[param_id]->count(), [=] CAFFE_DEVICE(int i) {
    s[i] = decay * s[i] + (1 - decay) * g[i] * g[i];
    const Dtype r = g[i] * std::sqrt((t[i] + delta) / (s[i] + delta));
    t[i] = decay * t[i] + (1 - decay) * r * r;
    g[i] = local_rate * r;
  });
}

UPDATE_ON_CPU_AND_GPU(AdaDeltaSolver);
INSTANTIATE_CLASS(AdaDeltaSolver);
REGISTER_SOLVER_CLASS(AdaDelta);

}  // namespace caffe
