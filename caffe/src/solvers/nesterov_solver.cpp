#include "caffe/sgd_solvers.hpp"
#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void NesterovSolver<Dtype>::UpdateOn(int param_id, Dtype rate) {
  Blob<Dtype>& param = *this->net_->learnable_params()[param_id];
  const Dtype momentum = this->param_.momentum();
  const Dtype local_rate = this->LocalRate(param_id, rate);
  Dtype* g = Where::MutableDiff(&param);
  Dtype* v = Where::MutableData(this->history_[param_id].get());
  Where::ForEach(param.count(), [=] CAFFE_DEVICE(int i) {
    const Dtype next = momentum * v[i] + local_rate * g[i];
    g[i] = (1 + momentum) * next - momentum * v[i];
    v[i] = next;
  });
}

UPDATE_ON_CPU_AND_GPU(NesterovSolver);
INSTANTIATE_CLASS(NesterovSolver);
REGISTER_SOLVER_CLASS(Nesterov);

}  // namespace caffe
