// Training: the loop around a network that forms gradients, updates weights, tests, and keeps snapshots.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "caffe/net.hpp"
#include "caffe/solver_factory.hpp"
#include "caffe/util/benchmark.hpp"

namespace caffe {

// What somebody outside asks of a running solver: signals of the process, mostly.
namespace SolverAction {  // NOLINT: Caffe's spelling, SolverAction::STOP
enum Enum { NONE = 0, STOP = 1, SNAPSHOT = 2 };
}

using ActionCallback = std::function<SolverAction::Enum()>;

// A solver derives from this and gives ApplyUpdate and the state it keeps beside the weights. SGDSolver is the base of
// those there are.
template <typename Dtype>
class Solver {
 public:
  // Builds the nets, with a fresh random state if random_seed is given. Throws Error for contradictory parameters.
  explicit Solver(const SolverParameter& param);
  explicit Solver(const string& param_file);
  void Init(const SolverParameter& param);
  void InitTrainNet();
  void InitTestNets();
  virtual ~Solver() = default;

  // Asked after every iteration, and after every batch of a test.
  void SetActionFunction(ActionCallback function) { action_request_function_ = std::move(function); }
  SolverAction::Enum GetRequestedAction();

  // Trains up to max_iter, after Resume if a snapshot is given; a last snapshot and test at the end.
  virtual void Solve(const char* resume_file = nullptr);
  void Solve(const string& resume_file) { Solve(resume_file.c_str()); }
  void Step(int iters);
  // Weights, iteration and history from a .solverstate or .solverstate.h5, as Caffe has it: data and random numbers go
  // on from where they are.
  void Restore(const char* resume_file);
  // Restore, and the data and random numbers of the snapshot too: the run goes on to the bit. From a snapshot of Caffe,
  // which holds neither, the same as Restore.
  void Resume(const char* resume_file);
  // Writes <snapshot_prefix>_iter_<n>.caffemodel and .solverstate (with .h5 behind for HDF5), each beside and renamed.
  void Snapshot();

  const SolverParameter& param() const { return param_; }
  shared_ptr<Net<Dtype>> net() { return net_; }
  const vector<shared_ptr<Net<Dtype>>>& test_nets() { return test_nets_; }
  int iter() const { return iter_; }

  // Called in every iteration of Step: before the gradients are formed, before each of the iter_size passes that form
  // them, and when they are there. The caller keeps them alive.
  class Callback {
   public:
    virtual ~Callback() = default;

   protected:
    virtual void on_start() = 0;
    virtual void on_pass() {}
    virtual void on_gradients_ready() = 0;
    template <typename T>
    friend class Solver;
  };
  const vector<Callback*>& callbacks() const { return callbacks_; }
  void add_callback(Callback* value) { callbacks_.push_back(value); }

  // Throws Error if snapshots are asked for and cannot be written.
  void CheckSnapshotWritePermissions();
  // Throws Error where a snapshot has no room in files of its format: protobuf's end at 2 GiB.
  void CheckSnapshotSize() const;
  virtual const char* type() const { return ""; }

  // Turns the gradients in the diffs of the parameters into an update, applies it, and counts the iteration.
  virtual void ApplyUpdate() = 0;

 protected:
  // Throws Error where no file can be made under snapshot_prefix.
  void RequireWritablePrefix();
  string SnapshotFilename(const string& extension);
  string SnapshotToBinaryProto();
  string SnapshotToHDF5();
  void TestAll();
  void Test(int test_net_id = 0);
  // Values that SnapshotSolverState writes, as far as their number grows with the net.
  virtual std::int64_t StateValues() const { return 0; }
  virtual void SnapshotSolverState(const string& model_filename) = 0;
  virtual void RestoreSolverStateFromHDF5(const string& state_file) = 0;
  virtual void RestoreSolverStateFromBinaryProto(const string& state_file) = 0;
  // What beside weights and history a run needs to go on to the bit: random state, positions in the data. Restoring
  // leaves in restored_ what the snapshot holds of it.
  ResumeState CollectResumeState();
  void ApplyResumeState(const ResumeState& state);
  // Mean of the last average_loss losses.
  void UpdateSmoothedLoss(Dtype loss, int start_iter, int average_loss);

  SolverParameter param_;
  int iter_ = 0;
  int current_step_ = 0;
  shared_ptr<Net<Dtype>> net_;
  vector<shared_ptr<Net<Dtype>>> test_nets_;
  vector<Callback*> callbacks_;
  vector<Dtype> losses_;
  Dtype smoothed_loss_ = 0;
  ActionCallback action_request_function_;
  bool requested_early_exit_ = false;
  ResumeState restored_;

 private:
  void DisplayTrainOutputs(Timer* timer, int* last_displayed);

  DISABLE_COPY_AND_ASSIGN(Solver);
};

}  // namespace caffe
