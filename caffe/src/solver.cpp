// How a Solver trains, tests and keeps snapshots.
#include "caffe/solver.hpp"

#include <algorithm>
#include <numeric>

#include "caffe/util/io.hpp"

namespace caffe {
namespace {

bool EndsWith(const string& text, const string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

// Whether something due every `interval` iterations (never for 0) is due now.
bool IsDue(int iter, int interval) { return interval > 0 && iter % interval == 0; }

// " (* w = w value loss)" behind an output that counts in the objective.
template <typename Dtype>
string WeightedLoss(Dtype weight, double value) {
  if (weight == 0) return "";
  ostringstream text;
  text << " (* " << weight << " = " << weight * value << " loss)";
  return text.str();
}

}  // namespace

template <typename Dtype>
SolverAction::Enum Solver<Dtype>::GetRequestedAction() {
  return action_request_function_ ? action_request_function_() : SolverAction::NONE;
}

template <typename Dtype>
void Solver<Dtype>::Step(int iters) {
  if (param_.snapshot() > 0) CheckSnapshotSize();
  const int start_iter = iter_;
  const int stop_iter = iter_ + iters;
  losses_.clear();
  smoothed_loss_ = 0;
  // The first line of the log speaks of the iteration that it displays alone.
  int last_displayed = start_iter - 1;
  Timer timer;
  timer.Start();
  while (iter_ < stop_iter) {
    net_->ClearParamDiffs();
    if (IsDue(iter_, param_.test_interval()) && (iter_ > 0 || param_.test_initialization())) {
      if (Caffe::root_solver()) TestAll();
      if (requested_early_exit_) break;
      if (iter_ == start_iter) {
        timer.Stop();
        timer.Start();
      }
    }
    for (Callback* callback : callbacks_) callback->on_start();
    const bool display = IsDue(iter_, param_.display());
    net_->set_debug_info(display && param_.debug_info());
    Dtype loss = 0;
    for (int i = 0; i < param_.iter_size(); ++i) {
      for (Callback* callback : callbacks_) callback->on_pass();
      loss += net_->ForwardBackward();
    }
    loss /= param_.iter_size();
    UpdateSmoothedLoss(loss, start_iter, param_.average_loss());
    if (display) DisplayTrainOutputs(&timer, &last_displayed);
    for (Callback* callback : callbacks_) callback->on_gradients_ready();
    ApplyUpdate();

    const SolverAction::Enum request = GetRequestedAction();
    const bool due = IsDue(iter_, param_.snapshot()) && Caffe::root_solver();
    if (due || request == SolverAction::SNAPSHOT) Snapshot();
    if (request == SolverAction::STOP) {
      requested_early_exit_ = true;
      break;
    }
  }
}

template <typename Dtype>
void Solver<Dtype>::DisplayTrainOutputs(Timer* timer, int* last_displayed) {
  const int iterations = iter_ - *last_displayed;
  const float seconds = timer->Seconds();
  LOG_IF(INFO, Caffe::root_solver()) << "Iteration " << iter_ << " (" << iterations / std::max(seconds, 1e-6f)
                                     << " iter/s, " << seconds << "s/" << iterations
                                     << " iters), loss = " << smoothed_loss_;
  timer->Start();
  *last_displayed = iter_;
  int index = 0;
  for (int j = 0; j < net_->num_outputs(); ++j) {
    const int blob_id = net_->output_blob_indices()[j];
    const Blob<Dtype>& blob = *net_->output_blobs()[j];
    for (int k = 0; k < blob.count(); ++k) {
      const Dtype value = blob.cpu_data()[k];
      LOG_IF(INFO, Caffe::root_solver()) << "    Train net output #" << index++ << ": " << net_->blob_names()[blob_id]
                                         << " = " << value << WeightedLoss(net_->blob_loss_weights()[blob_id], value);
    }
  }
}

template <typename Dtype>
void Solver<Dtype>::UpdateSmoothedLoss(Dtype loss, int start_iter, int average_loss) {
  if (static_cast<int>(losses_.size()) < average_loss) {
    losses_.push_back(loss);
  } else {
    losses_[(iter_ - start_iter) % average_loss] = loss;
  }
  smoothed_loss_ = std::accumulate(losses_.begin(), losses_.end(), Dtype(0)) / static_cast<Dtype>(losses_.size());
}

template <typename Dtype>
void Solver<Dtype>::Solve(const char* resume_file) {
  LOG_IF(INFO, Caffe::root_solver()) << "Solving " << net_->name();
  LOG_IF(INFO, Caffe::root_solver()) << "Learning Rate Policy: " << param_.lr_policy();
  requested_early_exit_ = false;
  if (resume_file != nullptr) {
    LOG_IF(INFO, Caffe::root_solver()) << "Restoring previous solver status from " << resume_file;
    Resume(resume_file);
  }
  // What cannot be written at the end is not worth the way there.
  if (param_.snapshot_after_train()) {
    CheckSnapshotSize();
    RequireWritablePrefix();
  }
  const int start_iter = iter_;
  Step(param_.max_iter() - iter_);
  if (Caffe::root_solver() && param_.snapshot_after_train() && !IsDue(iter_, param_.snapshot())) Snapshot();
  if (requested_early_exit_) {
    LOG_IF(INFO, Caffe::root_solver()) << "Optimization stopped early.";
    return;
  }
  // What the last update did has not been seen yet.
  if (IsDue(iter_, param_.display())) {
    Dtype loss = 0;
    net_->Forward(&loss);
    UpdateSmoothedLoss(loss, start_iter, param_.average_loss());
    LOG_IF(INFO, Caffe::root_solver()) << "Iteration " << iter_ << ", loss = " << smoothed_loss_;
  }
  if (Caffe::root_solver() && IsDue(iter_, param_.test_interval())) TestAll();
  LOG_IF(INFO, Caffe::root_solver()) << "Optimization Done.";
}

template <typename Dtype>
void Solver<Dtype>::TestAll() {
  for (size_t i = 0; i < test_nets_.size() && !requested_early_exit_; ++i) Test(static_cast<int>(i));
}

template <typename Dtype>
void Solver<Dtype>::Test(int test_net_id) {
  LOG_IF(INFO, Caffe::root_solver()) << "Iteration " << iter_ << ", Testing net (#" << test_net_id << ")";
  Net<Dtype>& net = *test_nets_[test_net_id];
  net.ShareTrainedLayersWith(net_.get());
  const int iterations = param_.test_iter(test_net_id);
  double loss = 0;
  vector<double> sums;       // of every element of every output
  vector<int> sum_blob_ids;  // the blob each belongs to
  for (int i = 0; i < iterations; ++i) {
    SolverAction::Enum request;
    while ((request = GetRequestedAction()) != SolverAction::NONE) {
      if (request == SolverAction::SNAPSHOT) Snapshot();
      if (request == SolverAction::STOP) {
        requested_early_exit_ = true;
        break;
      }
    }
    if (requested_early_exit_) {
      LOG_IF(INFO, Caffe::root_solver()) << "Test interrupted.";
      return;
    }
    Dtype batch_loss = 0;
    net.Forward(&batch_loss);
    loss += batch_loss;
    size_t index = 0;
    for (int j = 0; j < net.num_outputs(); ++j) {
      const Blob<Dtype>& blob = *net.output_blobs()[j];
      for (int k = 0; k < blob.count(); ++k, ++index) {
        if (index == sums.size()) {
          sums.push_back(0);
          sum_blob_ids.push_back(net.output_blob_indices()[j]);
        }
        sums[index] += blob.cpu_data()[k];
      }
    }
  }
  if (param_.test_compute_loss()) LOG_IF(INFO, Caffe::root_solver()) << "Test loss: " << loss / iterations;
  for (size_t index = 0; index < sums.size(); ++index) {
    const int blob_id = sum_blob_ids[index];
    const double mean = sums[index] / iterations;
    LOG_IF(INFO, Caffe::root_solver()) << "    Test net output #" << index << ": " << net.blob_names()[blob_id] << " = "
                                       << mean << WeightedLoss(net.blob_loss_weights()[blob_id], mean);
  }
}

template <typename Dtype>
void Solver<Dtype>::CheckSnapshotSize() const {
  if (param_.snapshot_format() == SolverParameter::HDF5) return;
  std::int64_t weights = 0;
  for (const auto& layer : net_->layers()) {
    for (const auto& blob : layer->blobs()) weights += blob->count();
  }
  if (param_.snapshot_diff()) weights *= 2;
  const auto check = [](const char* file, std::int64_t values) {
    const std::uintmax_t bytes = values * sizeof(Dtype);
    CAFFE_REQUIRE(bytes <= kMaxProtobufBytes)
        << "The " << file << " of a snapshot would have " << bytes
        << " bytes, more than a protobuf file holds (2 GiB): set snapshot_format: HDF5 in the solver";
  };
  check(".caffemodel", weights);
  check(".solverstate", StateValues());
}

template <typename Dtype>
void Solver<Dtype>::Snapshot() {
  CheckSnapshotSize();
  const string model_filename =
      param_.snapshot_format() == SolverParameter::HDF5 ? SnapshotToHDF5() : SnapshotToBinaryProto();
  SnapshotSolverState(model_filename);
}

template <typename Dtype>
string Solver<Dtype>::SnapshotFilename(const string& extension) {
  return param_.snapshot_prefix() + "_iter_" + std::to_string(iter_) + extension;
}

template <typename Dtype>
string Solver<Dtype>::SnapshotToBinaryProto() {
  const string filename = SnapshotFilename(".caffemodel");
  LOG_IF(INFO, Caffe::root_solver()) << "Snapshotting to binary proto file " << filename;
  NetParameter net_param;
  net_->ToProto(&net_param, param_.snapshot_diff());
  WriteProtoToBinaryFile(net_param, filename);
  return filename;
}

template <typename Dtype>
string Solver<Dtype>::SnapshotToHDF5() {
  const string filename = SnapshotFilename(".caffemodel.h5");
  LOG_IF(INFO, Caffe::root_solver()) << "Snapshotting to HDF5 file " << filename;
  net_->ToHDF5(filename, param_.snapshot_diff());
  return filename;
}

template <typename Dtype>
void Solver<Dtype>::Restore(const char* resume_file) {
  const string filename = resume_file;
  restored_.Clear();
  if (EndsWith(filename, ".h5")) {
    RestoreSolverStateFromHDF5(filename);
  } else {
    RestoreSolverStateFromBinaryProto(filename);
  }
  CAFFE_REQUIRE(iter_ >= 0 && current_step_ >= 0)
      << filename << ": is at iteration " << iter_ << " and step " << current_step_ << " of the rate; it is damaged";
}

template <typename Dtype>
void Solver<Dtype>::Resume(const char* resume_file) {
  Restore(resume_file);
  try {
    ApplyResumeState(restored_);
  } catch (const Error& error) {
    throw Error(string(resume_file) + ": " + error.what());
  }
}

INSTANTIATE_CLASS(Solver);

}  // namespace caffe
