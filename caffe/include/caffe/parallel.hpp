// Training on several GPUs: every one forms the gradients of a batch of its own, their mean is the gradient.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "caffe/net_replica.hpp"
#include "caffe/solver.hpp"
#include "caffe/util/collective.hpp"
#include "caffe/util/nccl.hpp"

namespace caffe {

// GPUs of one process, with one solver. In every pass each GPU takes the next batch of the solver's own net, which has
// the last of them. Gradients are summed to the solver's GPU and divided by the number of GPUs; the solver updates,
// tests and keeps snapshots there, and its weights go to the others before the next iteration. So n GPUs with batches
// of b images train as one with batches of n b; what depends on a batch beyond the mean of its gradients (BatchNorm's
// statistics, the losses displayed) is that of b images on the solver's GPU, and Dropout draws on each GPU by itself.
template <typename Dtype>
class DataParallel : public Solver<Dtype>::Callback {
 public:
  // devices[0] is the GPU of the solver and of this thread, which is in GPU mode (UseGpus). Trains with the solver's
  // Step and Solve, in this thread; this object must outlive them.
  DataParallel(Solver<Dtype>* solver, const vector<int>& devices);
  DataParallel(Solver<Dtype>* solver, const vector<int>& devices, std::unique_ptr<Collective<Dtype>> collective);

 protected:
  void on_start() override;
  void on_pass() override;
  void on_gradients_ready() override;

 private:
  // In the threads of all GPUs at the same time.
  template <typename Work>
  void OnAll(Work work);

  Solver<Dtype>* solver_;
  std::unique_ptr<Collective<Dtype>> collective_;
  vector<std::unique_ptr<NetReplica<Dtype>>> replicas_;

  DISABLE_COPY_AND_ASSIGN(DataParallel);
};

// One of Caffe::solver_count() solvers, number Caffe::solver_rank() (both of this thread), each with a GPU of its own,
// in one process or in many: the mean of the gradients reaches all of them, and each updates. Every solver reads data
// of its own: Data and HDF5Data take turns in their records. A build without NCCL throws Error.
template <typename Dtype>
class NCCL : public Solver<Dtype>::Callback {
 public:
  // Joins the group `uid`; returns when all solvers have. The solver's add_callback makes it train with the others;
  // this object must outlive its Step and Solve.
  NCCL(const shared_ptr<Solver<Dtype>>& solver, const string& uid);

  // The name of a new group.
  static string new_uid() { return Nccl::Require().NewId(); }
  // All solvers get the weights of the first.
  void Broadcast();

 protected:
  void on_start() override {}
  void on_gradients_ready() override;

 private:
  Net<Dtype>& net() const;

  std::weak_ptr<Solver<Dtype>> solver_;  // which may keep this object
  std::unique_ptr<NcclMember> member_;

  DISABLE_COPY_AND_ASSIGN(NCCL);
};

}  // namespace caffe
