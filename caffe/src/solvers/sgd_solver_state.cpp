// Snapshots of the state of SGDSolver and of those that derive from it.
#include <filesystem>

#include "caffe/sgd_solvers.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/io.hpp"

namespace caffe {
namespace {

// The weights stand where the snapshot says, or, when the files were moved, beside the state.
string FindLearnedNet(const string& learned_net, const string& state_file) {
  namespace fs = std::filesystem;
  if (fs::exists(learned_net)) return learned_net;
  const fs::path beside = fs::path(state_file).parent_path() / fs::path(learned_net).filename();
  CAFFE_REQUIRE(fs::exists(beside)) << state_file << ": the weights that belong to it are missing: " << learned_net;
  return beside.string();
}

[[noreturn]] void ThrowHistoryMismatch(const string& state_file, size_t found, size_t expected) {
  throw Error(state_file + ": holds " + std::to_string(found) + " history blobs, this solver has " +
              std::to_string(expected) + "; it is of another network or another type of solver");
}

}  // namespace

template <typename Dtype>
std::int64_t SGDSolver<Dtype>::StateValues() const {
  std::int64_t values = 0;
  for (const auto& blob : history_) values += blob->count();
  return values;
}

template <typename Dtype>
void SGDSolver<Dtype>::SnapshotSolverState(const string& model_filename) {
  if (this->param_.snapshot_format() == SolverParameter::HDF5) {
    SnapshotSolverStateToHDF5(model_filename);
  } else {
    SnapshotSolverStateToBinaryProto(model_filename);
  }
}

template <typename Dtype>
void SGDSolver<Dtype>::SnapshotSolverStateToBinaryProto(const string& model_filename) {
  SolverState state;
  state.set_iter(this->iter_);
  state.set_learned_net(model_filename);
  state.set_current_step(this->current_step_);
  for (const auto& blob : history_) blob->ToProto(state.add_history());
  *state.mutable_resume() = this->CollectResumeState();
  const string filename = this->SnapshotFilename(".solverstate");
  LOG(INFO) << "Snapshotting solver state to binary proto file " << filename;
  WriteProtoToBinaryFile(state, filename);
}

template <typename Dtype>
void SGDSolver<Dtype>::SnapshotSolverStateToHDF5(const string& model_filename) {
  const string filename = this->SnapshotFilename(".solverstate.h5");
  LOG(INFO) << "Snapshotting solver state to HDF5 file " << filename;
  Hdf5Writer writer(filename);
  writer.WriteInt("iter", this->iter_);
  writer.WriteString("learned_net", model_filename);
  writer.WriteInt("current_step", this->current_step_);
  for (size_t i = 0; i < history_.size(); ++i) {
    writer.Write("history/" + std::to_string(i), history_[i]->shape(), history_[i]->cpu_data());
  }
  writer.WriteBytes("resume", this->CollectResumeState().SerializeAsString());
  writer.Commit();
}

template <typename Dtype>
void SGDSolver<Dtype>::RestoreSolverStateFromBinaryProto(const string& state_file) {
  SolverState state;
  ReadProtoFromBinaryFileOrDie(state_file, &state);
  if (state.history_size() != static_cast<int>(history_.size())) {
    ThrowHistoryMismatch(state_file, state.history_size(), history_.size());
  }
  if (state.has_learned_net()) {
    this->net_->CopyTrainedLayersFrom(FindLearnedNet(state.learned_net(), state_file));
  }
  this->iter_ = state.iter();
  this->current_step_ = state.current_step();
  LOG(INFO) << "SGDSolver: restoring history";
  for (size_t i = 0; i < history_.size(); ++i) history_[i]->FromProto(state.history(static_cast<int>(i)), false);
  this->restored_ = state.resume();
}

template <typename Dtype>
void SGDSolver<Dtype>::RestoreSolverStateFromHDF5(const string& state_file) {
  const Hdf5Reader reader(state_file);
  const size_t count = reader.CountDatasets("history");
  if (count != history_.size()) ThrowHistoryMismatch(state_file, count, history_.size());
  if (reader.Exists("learned_net")) {
    this->net_->CopyTrainedLayersFrom(FindLearnedNet(reader.ReadString("learned_net"), state_file));
  }
  this->iter_ = reader.ReadInt("iter");
  this->current_step_ = reader.ReadInt("current_step");
  LOG(INFO) << "SGDSolver: restoring history";
  for (size_t i = 0; i < history_.size(); ++i) {
    const string dataset = "history/" + std::to_string(i);
    CAFFE_REQUIRE(reader.Shape(dataset) == history_[i]->shape())
        << state_file << ": dataset " << dataset
        << " has another shape than the parameter: " << history_[i]->shape_string() << " was expected";
    reader.Read(dataset, history_[i]->mutable_cpu_data());
  }
  if (reader.Exists("resume")) {  // not in files of Caffe
    CAFFE_REQUIRE(this->restored_.ParseFromString(reader.ReadBytes("resume")))
        << state_file << ": dataset resume is damaged";
  }
}

#define INSTANTIATE_SGD_STATE(Dtype)                                               \
  template std::int64_t SGDSolver<Dtype>::StateValues() const;                     \
  template void SGDSolver<Dtype>::SnapshotSolverState(const string&);              \
  template void SGDSolver<Dtype>::SnapshotSolverStateToBinaryProto(const string&); \
  template void SGDSolver<Dtype>::SnapshotSolverStateToHDF5(const string&);        \
  template void SGDSolver<Dtype>::RestoreSolverStateFromHDF5(const string&);       \
  template void SGDSolver<Dtype>::RestoreSolverStateFromBinaryProto(const string&)
INSTANTIATE_SGD_STATE(float);
INSTANTIATE_SGD_STATE(double);

}  // namespace caffe
