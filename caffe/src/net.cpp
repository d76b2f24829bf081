// How a Net runs, and how its parameters come and go.
#include "caffe/net.hpp"

#include <algorithm>
#include <iterator>
#include <set>

#include "caffe/util/gpu_runtime.hpp"
#include "caffe/util/hdf5.hpp"
#include "caffe/util/in_layer.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {

template <typename Dtype>
Dtype Net<Dtype>::ForwardFromTo(int start, int end) {
  CHECK_GE(start, 0);
  CHECK_LT(end, static_cast<int>(layers_.size()));
  Dtype loss = 0;
  if (debug_info_) InputDebugInfo();
  vector<bool> done(layers_.size(), false);
  for (int i = start; i <= end; ++i) {
    if (done[i]) continue;
    // Run by itself, or anew, a layer has the state of this run.
    for (auto it = ran_fused_.begin(); it != ran_fused_.end();) {
      const vector<int>& followers = fused_[*it];
      const bool again = *it == i || std::count(followers.begin(), followers.end(), i) > 0;
      it = again ? ran_fused_.erase(it) : std::next(it);
    }
    if (MayFuse(i, end) && InLayer(layers_[i]->layer_param(), [&] { return ForwardFused(i); })) {
      for (const int follower : fused_[i]) done[follower] = true;
      continue;
    }
    for (Callback* callback : before_forward_) callback->run(i);
    loss += InLayer(layers_[i]->layer_param(), [&] { return layers_[i]->Forward(bottom_vecs_[i], top_vecs_[i]); });
    if (debug_info_) ForwardDebugInfo(i);
    for (Callback* callback : after_forward_) callback->run(i);
  }
  return loss;
}

template <typename Dtype>
const vector<Blob<Dtype>*>& Net<Dtype>::Forward(Dtype* loss) {
  const Dtype total = ForwardTo(static_cast<int>(layers_.size()) - 1);
  if (loss != nullptr) *loss = total;
  return net_output_blobs_;
}

template <typename Dtype>
const vector<Blob<Dtype>*>& Net<Dtype>::Forward(const vector<Blob<Dtype>*>& bottom, Dtype* loss) {
  CAFFE_REQUIRE(bottom.size() == net_input_blobs_.size())
      << "the net has " << net_input_blobs_.size() << " input blobs, got " << bottom.size();
  for (size_t i = 0; i < bottom.size(); ++i) net_input_blobs_[i]->CopyFrom(*bottom[i]);
  return Forward(loss);
}

template <typename Dtype>
void Net<Dtype>::BackwardFromTo(int start, int end) {
  CHECK_GE(end, 0);
  CHECK_LT(start, static_cast<int>(layers_.size()));
  RunFusedApart(start, end);
  for (int i = start; i >= end; --i) {
    if (InLayer(layers_[i]->layer_param(), [&] { return BackwardFused(i); })) continue;
    for (Callback* callback : before_backward_) callback->run(i);
    if (layer_need_backward_[i]) {
      InLayer(layers_[i]->layer_param(),
              [&] { layers_[i]->Backward(top_vecs_[i], bottom_need_backward_[i], bottom_vecs_[i]); });
      if (debug_info_) BackwardDebugInfo(i);
    }
    for (Callback* callback : after_backward_) callback->run(i);
  }
}

template <typename Dtype>
void Net<Dtype>::Backward() {
  BackwardFromTo(static_cast<int>(layers_.size()) - 1, 0);
  if (debug_info_) AllParamsDebugInfo();
}

template <typename Dtype>
Dtype Net<Dtype>::ForwardBackward() {
  Dtype loss;
  Forward(&loss);
  Backward();
  return loss;
}

template <typename Dtype>
void Net<Dtype>::ClearParamDiffs() {
  for (Blob<Dtype>* param : learnable_params_) {
    if (Caffe::mode() == Caffe::GPU) {
      GpuRuntime::Require().SetZero(param->mutable_gpu_diff(), param->count() * sizeof(Dtype));
    } else {
      caffe_set(param->count(), Dtype(0), param->mutable_cpu_diff());
    }
  }
}

template <typename Dtype>
void Net<Dtype>::Update() {
  if (debug_info_) {
    for (size_t i = 0; i < params_.size(); ++i) UpdateDebugInfo(static_cast<int>(i));
  }
  for (Blob<Dtype>* param : learnable_params_) param->Update();
}

template <typename Dtype>
void Net<Dtype>::Reshape() {
  for (size_t i = 0; i < layers_.size(); ++i) {
    InLayer(layers_[i]->layer_param(), [&] { layers_[i]->Reshape(bottom_vecs_[i], top_vecs_[i]); });
  }
}

template <typename Dtype>
const shared_ptr<Blob<Dtype>> Net<Dtype>::blob_by_name(const string& name) const {
  const auto found = blob_names_index_.find(name);
  if (found != blob_names_index_.end()) return blobs_[found->second];
  LOG(WARNING) << "Unknown blob name " << name;
  return nullptr;
}

template <typename Dtype>
const shared_ptr<Layer<Dtype>> Net<Dtype>::layer_by_name(const string& name) const {
  const auto found = layer_names_index_.find(name);
  if (found != layer_names_index_.end()) return layers_[found->second];
  LOG(WARNING) << "Unknown layer name " << name;
  return nullptr;
}

namespace {

// Number of blobs a source offers for a layer must be the layer's own.
void RequireBlobCount(const string& layer, size_t actual, size_t expected) {
  CAFFE_REQUIRE(actual == expected) << "Cannot take the weights of layer '" << layer << "': the source has " << actual
                                    << " blobs, the layer " << expected;
}

[[noreturn]] void ThrowShapeMismatch(const string& layer, size_t index, const string& source, const string& target) {
  throw Error(
      "Cannot take param " + std::to_string(index) + " weights from layer '" + layer +
      "': shape mismatch. Source param shape is " + source + "; target param shape is " + target +
      ". To learn this layer's parameters from scratch rather than copying from a saved net, rename the layer.");
}

}  // namespace

template <typename Dtype>
void Net<Dtype>::ShareTrainedLayersWith(const Net* other) {
  for (size_t i = 0; i < other->layers().size(); ++i) {
    const string& name = other->layer_names()[i];
    const auto target = layer_names_index_.find(name);
    if (target == layer_names_index_.end()) continue;
    auto& blobs = layers_[target->second]->blobs();
    const auto& source = other->layers()[i]->blobs();
    RequireBlobCount(name, source.size(), blobs.size());
    for (size_t j = 0; j < blobs.size(); ++j) {
      if (blobs[j]->shape() != source[j]->shape()) {
        ThrowShapeMismatch(name, j, source[j]->shape_string(), blobs[j]->shape_string());
      }
      // Nets that share may run in threads of their own, where plain values must not come and go: asked for, they stay.
      if (Caffe::mode() == Caffe::CPU) source[j]->cpu_data();
      blobs[j]->ShareData(*source[j]);
    }
  }
}

template <typename Dtype>
void Net<Dtype>::CopyTrainedLayersFrom(const NetParameter& param) {
  std::set<string> given;
  for (const LayerParameter& source : param.layer()) {
    const auto target = layer_names_index_.find(source.name());
    if (target == layer_names_index_.end()) {
      LOG(INFO) << "Ignoring source layer " << source.name();
      continue;
    }
    given.insert(source.name());
    auto& blobs = layers_[target->second]->blobs();
    RequireBlobCount(source.name(), source.blobs_size(), blobs.size());
    const Layer<Dtype>& layer = *layers_[target->second];
    InLayer(layer.layer_param(), [&] { layer.CheckWeightsOf(source); });
    for (size_t j = 0; j < blobs.size(); ++j) {
      if (!blobs[j]->ShapeEquals(source.blobs(static_cast<int>(j)))) {
        Blob<Dtype> found;
        found.FromProto(source.blobs(static_cast<int>(j)));
        ThrowShapeMismatch(source.name(), j, found.shape_string(), blobs[j]->shape_string());
      }
      InLayer(source, [&] { blobs[j]->FromProto(source.blobs(static_cast<int>(j)), false); });
    }
  }
  string without;
  for (size_t i = 0; i < layers_.size(); ++i) {
    if (layers_[i]->blobs().empty() || given.count(layer_names_[i]) > 0) continue;
    without += (without.empty() ? "" : ", ") + layer_names_[i];
  }
  // As wanted before fine-tuning; but a file that was cut between two layers reads as one of fewer layers, too.
  LOG_IF(WARNING, !without.empty()) << "There are no weights for these layers, which keep those they have: " << without;
}

template <typename Dtype>
void Net<Dtype>::CopyTrainedLayersFrom(const string& file) {
  RequireFile(file);
  const bool hdf5 = file.size() >= 3 && file.compare(file.size() - 3, 3, ".h5") == 0;
  hdf5 ? CopyTrainedLayersFromHDF5(file) : CopyTrainedLayersFromBinaryProto(file);
}

template <typename Dtype>
void Net<Dtype>::CopyTrainedLayersFromBinaryProto(const string& file) {
  NetParameter param;
  ReadNetParamsFromBinaryFileOrDie(file, &param);
  try {
    CopyTrainedLayersFrom(param);
  } catch (const Error& error) {
    throw Error(file + ": " + error.what());
  }
}

template <typename Dtype>
void Net<Dtype>::ToProto(NetParameter* param, bool write_diff) const {
  param->Clear();
  param->set_name(name_);
  for (const auto& layer : layers_) layer->ToProto(param->add_layer(), write_diff);
}

template <typename Dtype>
void Net<Dtype>::CopyTrainedLayersFromHDF5(const string& file) {
  const Hdf5Reader reader(file);
  for (const string& name : layer_names_) {
    auto& blobs = layers_[layer_names_index_.at(name)]->blobs();
    const string group = "data/" + name;
    if (blobs.empty() || !reader.Exists(group)) continue;
    const int count = reader.CountDatasets(group);
    // Parameters shared with another layer need not be stored with both.
    const auto& ids = param_id_vecs_[layer_names_index_.at(name)];
    for (size_t j = 0; j < blobs.size(); ++j) {
      const string dataset = group + "/" + std::to_string(j);
      if (!reader.Exists(dataset)) {
        if (param_owners_[ids[j]] >= 0) continue;
        RequireBlobCount(name, count, blobs.size());
        throw Error(file + ": no dataset " + dataset);
      }
      const vector<int> shape = reader.Shape(dataset);
      if (shape != blobs[j]->shape()) {
        Blob<Dtype> found(shape);
        ThrowShapeMismatch(name, j, found.shape_string(), blobs[j]->shape_string());
      }
      reader.Read(dataset, HostView(blobs[j]->data()).values<Dtype>());
    }
  }
}

template <typename Dtype>
void Net<Dtype>::ToHDF5(const string& file, bool write_diff) const {
  Hdf5Writer writer(file);
  for (size_t i = 0; i < layers_.size(); ++i) {
    const auto& blobs = layers_[i]->blobs();
    for (size_t j = 0; j < blobs.size(); ++j) {
      const string name = layer_names_[i] + "/" + std::to_string(j);
      if (param_owners_[param_id_vecs_[i][j]] < 0)
        writer.Write("data/" + name, blobs[j]->shape(), blobs[j]->cpu_data());
      if (write_diff) writer.Write("diff/" + name, blobs[j]->shape(), blobs[j]->cpu_diff());
    }
  }
  writer.Commit();
}

INSTANTIATE_CLASS(Net);

}  // namespace caffe
