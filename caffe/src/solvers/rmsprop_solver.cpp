#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void RMSPropSolver<Dtype>::CheckParameters() const {
  CAFFE_REQUIRE(this->param_.momentum() == 0) << "Momentum cannot be used with RMSProp.";
  CAFFE_REQUIRE(this->param_.rms_decay() >= 0 && this->param_.rms_decay() < 1)
      << "rms_decay should lie between 0 and 1, it is " << this->param_.rms_decay();
}

template <typename Dtype>
template <typename Where>
void RMSPropSolver<Dtype>::UpdateOn(int param_id, Dtype rate) {
  Blob<Dtype>& param = *this->net_->learnable_params()[param_id];
  const Dtype delta = this->param_.delta();
  const Dtype decay = this->param_.rms_decay();
  const Dtype local_rate = this->LocalRate(param_id, rate);
  Dtype* g = Where::MutableDiff(&param);
  Dtype* s = Where::MutableData(this->history_[param_id].get());
  Where::ForEach(param.count(), [=] CAFFE_DEVICE(int i) {
    s[i] = decay * s[i] + (1 - decay) * g[i] * g[i];
    g[i] = local_rate * g[i] / (std::sqrt(s[i]) + delta);
  });
}

UPDATE_ON_CPU_AND_GPU(RMSPropSolver);
INSTANTIATE_CLASS(RMSPropSolver);
REGISTER_SOLVER_CLASS(RMSProp);

}  // namespace caffe
