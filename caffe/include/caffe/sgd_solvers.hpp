// The solvers: stochastic gradient descent with momentum, and those that scale each weight's step by what its gradients
// have been. Written for one weight w with gradient g (regularised, clipped, divided by iter_size), learning rate a
// (the policy's rate times lr_mult), momentum m; every operation is on single elements. The update is w -= u.
#pragma once

#include <string>
#include <vector>

#include "caffe/solver.hpp"

namespace caffe {

// v = m v + a g, u = v.
template <typename Dtype>
class SGDSolver : public Solver<Dtype> {
 public:
  explicit SGDSolver(const SolverParameter& param) : Solver<Dtype>(param) { PreSolve(); }
  explicit SGDSolver(const string& param_file) : Solver<Dtype>(param_file) { PreSolve(); }
  const char* type() const override { return "SGD"; }

  // ComputeUpdateValue on the CPU or on a GPU (caffe/util/where.hpp).
  template <typename Where>
  void UpdateOn(int param_id, Dtype rate);

  // Regularize: g += decay w, or with `l1` the sign of w.
  template <typename Where>
  void RegularizeOn(int param_id, Dtype decay, bool l1);

  // What the solver keeps for each parameter, in the order of the net's learnable_params.
  const vector<shared_ptr<Blob<Dtype>>>& history() { return history_; }

  void ApplyUpdate() override;
  // The rate of this iteration, by lr_policy; throws Error for an unknown one, naming those known.
  //   fixed      base_lr
  //   step       base_lr gamma^floor(iter / stepsize)
  //   exp        base_lr gamma^iter
  //   inv        base_lr (1 + gamma iter)^-power
  //   multistep  base_lr gamma^(number of stepvalues reached)
  //   poly       base_lr (1 - iter / max_iter)^power
  //   sigmoid    base_lr / (1 + exp(-gamma (iter - stepsize)))
  Dtype GetLearningRate();

 protected:
  void PreSolve();
  // Divides by iter_size the gradients that were summed over its batches.
  virtual void Normalize(int param_id);
  // Adds the gradient of weight_decay: w for L2, the sign of w for L1.
  virtual void Regularize(int param_id);
  // From diff, the gradient g, to diff, the update u.
  virtual void ComputeUpdateValue(int param_id, Dtype rate);
  // Scales all gradients so that their L2 norm is at most clip_gradients (off when negative).
  virtual void ClipGradients();
  std::int64_t StateValues() const override;
  void SnapshotSolverState(const string& model_filename) override;
  virtual void SnapshotSolverStateToBinaryProto(const string& model_filename);
  virtual void SnapshotSolverStateToHDF5(const string& model_filename);
  void RestoreSolverStateFromHDF5(const string& state_file) override;
  void RestoreSolverStateFromBinaryProto(const string& state_file) override;

  // Adds `copies` more blobs per parameter to the history.
  void AddHistory(int copies);
  // Learning rate of one parameter.
  Dtype LocalRate(int param_id, Dtype rate) const { return rate * this->net_->params_lr()[param_id]; }

  vector<shared_ptr<Blob<Dtype>>> history_;
  // Scratch of the parameters' shapes, for solvers that derive from this one.
  vector<shared_ptr<Blob<Dtype>>> update_, temp_;

  DISABLE_COPY_AND_ASSIGN(SGDSolver);
};

// u = (1 + m) v' - m v with v' = m v + a g: the step looks ahead along the momentum. Source: Sutskever, Martens, Dahl,
// Hinton, "On the importance of initialization and momentum in deep learning", ICML 2013.
template <typename Dtype>
class NesterovSolver : public SGDSolver<Dtype> {
 public:
  explicit NesterovSolver(const SolverParameter& param) : SGDSolver<Dtype>(param) {}
  explicit NesterovSolver(const string& param_file) : SGDSolver<Dtype>(param_file) {}
  const char* type() const override { return "Nesterov"; }
  template <typename Where>
  void UpdateOn(int param_id, Dtype rate);

 protected:
  void ComputeUpdateValue(int param_id, Dtype rate) override;

  DISABLE_COPY_AND_ASSIGN(NesterovSolver);
};

// s += g^2, u = a g / (sqrt(s) + delta). Source: Duchi, Hazan, Singer, "Adaptive subgradient methods", JMLR 12, 2011.
template <typename Dtype>
class AdaGradSolver : public SGDSolver<Dtype> {
 public:
  explicit AdaGradSolver(const SolverParameter& param) : SGDSolver<Dtype>(param) { RequireNoMomentum(); }
  explicit AdaGradSolver(const string& param_file) : SGDSolver<Dtype>(param_file) { RequireNoMomentum(); }
  const char* type() const override { return "AdaGrad"; }
  template <typename Where>
  void UpdateOn(int param_id, Dtype rate);

 protected:
  void ComputeUpdateValue(int param_id, Dtype rate) override;
  void RequireNoMomentum() const;

  DISABLE_COPY_AND_ASSIGN(AdaGradSolver);
};

// s = d s + (1 - d) g^2 with d = rms_decay, u = a g / (sqrt(s) + delta). Source: Tieleman and Hinton, "Lecture 6.5:
// RMSProp", Coursera 2012.
template <typename Dtype>
class RMSPropSolver : public SGDSolver<Dtype> {
 public:
  explicit RMSPropSolver(const SolverParameter& param) : SGDSolver<Dtype>(param) { CheckParameters(); }
  explicit RMSPropSolver(const string& param_file) : SGDSolver<Dtype>(param_file) { CheckParameters(); }
  const char* type() const override { return "RMSProp"; }
  template <typename Where>
  void UpdateOn(int param_id, Dtype rate);

 protected:
  void ComputeUpdateValue(int param_id, Dtype rate) override;
  void CheckParameters() const;

  DISABLE_COPY_AND_ASSIGN(RMSPropSolver);
};

// s = m s + (1 - m) g^2, r = g sqrt((t + delta) / (s + delta)), t = m t + (1 - m) r^2, u = a r. Source: Zeiler,
// "ADADELTA: an adaptive learning rate method", arXiv 1212.5701, 2012.
template <typename Dtype>
class AdaDeltaSolver : public SGDSolver<Dtype> {
 public:
  explicit AdaDeltaSolver(const SolverParameter& param) : SGDSolver<Dtype>(param) { this->AddHistory(1); }
  explicit AdaDeltaSolver(const string& param_file) : SGDSolver<Dtype>(param_file) { this->AddHistory(1); }
  const char* type() const override { return "AdaDelta"; }
  template <typename Where>
  void UpdateOn(int param_id, Dtype rate);

 protected:
  void ComputeUpdateValue(int param_id, Dtype rate) override;

  DISABLE_COPY_AND_ASSIGN(AdaDeltaSolver);
};

// p = b1 p + (1 - b1) g, q = b2 q + (1 - b2) g^2, u = a sqrt(1 - b2^t) / (1 - b1^t) p / (sqrt(q) + delta), with
// b1 = momentum, b2 = momentum2 and t the iterations with this one. Source: Kingma and Ba, "Adam: a method for
// stochastic optimization", ICLR 2015, in the form at the end of its section 2.
template <typename Dtype>
class AdamSolver : public SGDSolver<Dtype> {
 public:
  explicit AdamSolver(const SolverParameter& param) : SGDSolver<Dtype>(param) { this->AddHistory(1); }
  explicit AdamSolver(const string& param_file) : SGDSolver<Dtype>(param_file) { this->AddHistory(1); }
  const char* type() const override { return "Adam"; }
  template <typename Where>
  void UpdateOn(int param_id, Dtype rate);

 protected:
  void ComputeUpdateValue(int param_id, Dtype rate) override;

  DISABLE_COPY_AND_ASSIGN(AdamSolver);
};

}  // namespace caffe
