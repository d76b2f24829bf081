#include <cmath>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void SGDSolver<Dtype>::PreSolve() {
  // A wrong name comes to light before the first test pass; one left out, when a rate is first needed.
  if (this->param_.has_lr_policy()) GetLearningRate();
  const string& regularization = this->param_.regularization_type();
  CAFFE_REQUIRE(regularization == "L2" || regularization == "L1")
      << "Unknown regularization type: " << regularization << " (known types: L1, L2)";
  history_.clear();
  update_.clear();
  temp_.clear();
  AddHistory(1);
  for (const Blob<Dtype>* param : this->net_->learnable_params()) {
    update_.push_back(std::make_shared<Blob<Dtype>>(param->shape()));
    temp_.push_back(std::make_shared<Blob<Dtype>>(param->shape()));
  }
}

template <typename Dtype>
void SGDSolver<Dtype>::AddHistory(int copies) {
  for (int i = 0; i < copies; ++i) {
    for (const Blob<Dtype>* param : this->net_->learnable_params()) {
      history_.push_back(std::make_shared<Blob<Dtype>>(param->shape()));
    }
  }
}

template <typename Dtype>
Dtype SGDSolver<Dtype>::GetLearningRate() {
  const SolverParameter& param = this->param_;
  const string& policy = param.lr_policy();
  const double base = param.base_lr();
  const double gamma = param.gamma();
  const double iter = this->iter_;
  if (policy == "fixed") return static_cast<Dtype>(base);
  if (policy == "step") {
    CAFFE_REQUIRE(param.stepsize() > 0) << "lr_policy step needs a stepsize above 0, it is " << param.stepsize();
    this->current_step_ = this->iter_ / param.stepsize();
    return static_cast<Dtype>(base * std::pow(gamma, this->current_step_));
  }
  if (policy == "exp") return static_cast<Dtype>(base * std::pow(gamma, iter));
  if (policy == "inv") return static_cast<Dtype>(base * std::pow(1 + gamma * iter, -double{param.power()}));
  if (policy == "multistep") {
    while (this->current_step_ < param.stepvalue_size() && this->iter_ >= param.stepvalue(this->current_step_)) {
      ++this->current_step_;
      LOG_IF(INFO, Caffe::root_solver()) << "MultiStep Status: Iteration " << this->iter_
                                         << ", step = " << this->current_step_;
    }
    return static_cast<Dtype>(base * std::pow(gamma, this->current_step_));
  }
  if (policy == "poly") {
    CAFFE_REQUIRE(param.max_iter() > 0) << "lr_policy poly needs a max_iter above 0, it is " << param.max_iter();
    return static_cast<Dtype>(base * std::pow(1 - iter / param.max_iter(), double{param.power()}));
  }
  if (policy == "sigmoid") {
    return static_cast<Dtype>(base / (1 + std::exp(-gamma * (iter - param.stepsize()))));
  }
  throw Error("Unknown learning rate policy: '" + policy +
              "' (known lr_policy values: exp, fixed, inv, multistep, poly, sigmoid, step)");
}

template <typename Dtype>
void SGDSolver<Dtype>::ApplyUpdate() {
  const Dtype rate = GetLearningRate();
  if (this->param_.display() > 0 && this->iter_ % this->param_.display() == 0) {
    LOG_IF(INFO, Caffe::root_solver()) << "Iteration " << this->iter_ << ", lr = " << rate;
  }
  ClipGradients();
  const int num_params = static_cast<int>(this->net_->learnable_params().size());
  for (int param_id = 0; param_id < num_params; ++param_id) {
    Normalize(param_id);
    Regularize(param_id);
    ComputeUpdateValue(param_id, rate);
  }
  this->net_->Update();
  ++this->iter_;
}

template <typename Dtype>
void SGDSolver<Dtype>::ClipGradients() {
  const Dtype limit = this->param_.clip_gradients();
  if (limit < 0) return;
  double sum_of_squares = 0;
  for (const Blob<Dtype>* param : this->net_->learnable_params()) sum_of_squares += param->sumsq_diff();
  const Dtype norm = static_cast<Dtype>(std::sqrt(sum_of_squares));
  if (norm <= limit) return;
  const Dtype scale = limit / norm;
  LOG_IF(INFO, Caffe::root_solver()) << "Gradient clipping: scaling down gradients (L2 norm " << norm << " > " << limit
                                     << ") by scale factor " << scale;
  for (Blob<Dtype>* param : this->net_->learnable_params()) param->scale_diff(scale);
}

template <typename Dtype>
void SGDSolver<Dtype>::Normalize(int param_id) {
  if (this->param_.iter_size() == 1) return;
  this->net_->learnable_params()[param_id]->scale_diff(Dtype(1) / this->param_.iter_size());
}

template <typename Dtype>
void SGDSolver<Dtype>::Regularize(int param_id) {
  const Dtype decay = this->param_.weight_decay() * this->net_->params_weight_decay()[param_id];
  if (decay == 0) return;
  const bool l1 = this->param_.regularization_type() == "L1";
  const auto on_gpu = GpuStep<SGDSolver, int, Dtype, bool>::run;
  const bool gpu = Caffe::mode() == Caffe::GPU && on_gpu != nullptr;
  gpu ? on_gpu(this, param_id, decay, l1) : RegularizeOn<OnCpu>(param_id, decay, l1);
}

template <typename Dtype>
template <typename Where>
void SGDSolver<Dtype>::RegularizeOn(int param_id, Dtype decay, bool l1) {
  Blob<Dtype>& param = *this->net_->learnable_params()[param_id];
  const Dtype* w = Where::Data(&param);
  Dtype* g = Where::MutableDiff(&param);
  Where::ForEach(param.count(), [=] CAFFE_DEVICE(int i) { g[i] += decay * (l1 ? caffe_sign(w[i]) : w[i]); });
}

template <typename Dtype>
template <typename Where>
void SGDSolver<Dtype>::UpdateOn(int param_id, Dtype rate) {
  Blob<Dtype>& param = *this->net_->learnable_params()[param_id];
  const Dtype momentum = this->param_.momentum();
  const Dtype local_rate = LocalRate(param_id, rate);
  Dtype* g = Where::MutableDiff(&param);
  Dtype* v = Where::MutableData(history_[param_id].get());
  Where::ForEach(param.count(), [=] CAFFE_DEVICE(int i) {
    v[i] = momentum * v[i] + local_rate * g[i];
    g[i] = v[i];
  });
}

#ifdef CAFFE_GPU_PASS
template <typename Dtype>
bool AddRegularization() {
  GpuStep<SGDSolver<Dtype>, int, Dtype, bool>::run = [](SGDSolver<Dtype>* solver, int id, Dtype decay, bool l1) {
    solver->template RegularizeOn<OnGpu>(id, decay, l1);
  };
  return true;
}
static const bool g_gpu_regularization_f = AddRegularization<float>();
static const bool g_gpu_regularization_d = AddRegularization<double>();
#endif

// The members that write and read snapshots are instantiated in sgd_solver_state.cpp.
UPDATE_ON_CPU_AND_GPU(SGDSolver);
INSTANTIATE_CLASS(SGDSolver);
REGISTER_SOLVER_CLASS(SGD);

}  // namespace caffe
