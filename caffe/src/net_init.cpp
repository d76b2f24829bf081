// How a Net is built from its definition.
#include <algorithm>
#include <exception>

#include "caffe/net.hpp"
#include "caffe/util/in_layer.hpp"
#include "caffe/util/insert_splits.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

void CheckLayers(const NetParameter& param) {
  set<string> names;
  for (const LayerParameter& layer : param.layer()) {
    CAFFE_REQUIRE(!layer.type().empty()) << "layer '" << layer.name() << "' has no type";
    CAFFE_REQUIRE(names.insert(layer.name()).second || layer.name().empty())
        << "two layers are called '" << layer.name() << "'";
    CAFFE_REQUIRE(layer.propagate_down_size() == 0 || layer.propagate_down_size() == layer.bottom_size())
        << "layer '" << layer.name() << "': propagate_down must be given for none or for each of its "
        << layer.bottom_size() << " bottoms";
  }
}

}  // namespace

template <typename Dtype>
Net<Dtype>::Net(const NetParameter& param) {
  Init(param);
}

template <typename Dtype>
Net<Dtype>::Net(const string& param_file, Phase phase, int level, const vector<string>* stages) {
  NetParameter param;
  ReadNetParamsFromTextFileOrDie(param_file, &param);
  NetState* state = param.mutable_state();
  state->set_phase(phase);
  state->set_level(level);
  if (stages != nullptr) {
    for (const string& stage : *stages) state->add_stage(stage);
  }
  Init(param);
}

template <typename Dtype>
bool Net<Dtype>::StateMeetsRule(const NetState& state, const NetStateRule& rule, const string& layer_name) {
  const auto has = [&](const string& stage) {
    return std::find(state.stage().begin(), state.stage().end(), stage) != state.stage().end();
  };
  if (rule.has_phase() && rule.phase() != state.phase()) return false;
  if (rule.has_min_level() && state.level() < rule.min_level()) return false;
  if (rule.has_max_level() && state.level() > rule.max_level()) return false;
  return std::all_of(rule.stage().begin(), rule.stage().end(), has) &&
         std::none_of(rule.not_stage().begin(), rule.not_stage().end(), has);
}

template <typename Dtype>
void Net<Dtype>::FilterNet(const NetParameter& param, NetParameter* filtered) {
  const NetState state = param.state();
  NetParameter result = param;
  result.clear_layer();
  for (const LayerParameter& layer : param.layer()) {
    CAFFE_REQUIRE(layer.include_size() == 0 || layer.exclude_size() == 0)
        << "layer '" << layer.name() << "' has both include and exclude rules; give one kind";
    const auto meets = [&](const NetStateRule& rule) { return StateMeetsRule(state, rule, layer.name()); };
    const bool included = layer.include_size() == 0
                              ? std::none_of(layer.exclude().begin(), layer.exclude().end(), meets)
                              : std::any_of(layer.include().begin(), layer.include().end(), meets);
    if (included) *result.add_layer() = layer;
  }
  *filtered = std::move(result);
}

template <typename Dtype>
void Net<Dtype>::Init(const NetParameter& in_param) {
  phase_ = in_param.state().phase();
  NetParameter upgraded = in_param;
  if (NetNeedsUpgrade(upgraded)) UpgradeNetAsNeeded("(network in memory)", &upgraded);
  NetParameter filtered;
  FilterNet(upgraded, &filtered);
  CheckLayers(filtered);
  LOG_IF(INFO, Caffe::root_solver()) << "Initializing net from parameters: \n" << filtered.DebugString();
  NetParameter param;
  InsertSplits(filtered, &param);

  name_ = param.name();
  debug_info_ = param.debug_info();
  const int num_layers = param.layer_size();
  bottom_vecs_.resize(num_layers);
  top_vecs_.resize(num_layers);
  bottom_id_vecs_.resize(num_layers);
  top_id_vecs_.resize(num_layers);
  bottom_need_backward_.resize(num_layers);
  param_id_vecs_.resize(num_layers);

  map<string, int> blob_name_to_idx;
  set<string> available_blobs;  // made and not yet read
  for (int layer_id = 0; layer_id < num_layers; ++layer_id) {
    LayerParameter* layer_param = param.mutable_layer(layer_id);
    if (!layer_param->has_phase()) layer_param->set_phase(phase_);
    AppendLayer(param, layer_id, &available_blobs, &blob_name_to_idx);
  }
  PropagateNeedBackward(param);

  // Blobs that nobody reads are the outputs, in alphabetical order.
  for (const string& blob_name : available_blobs) {
    LOG_IF(INFO, Caffe::root_solver()) << "This network produces output " << blob_name;
    const int blob_id = blob_name_to_idx[blob_name];
    net_output_blobs_.push_back(blobs_[blob_id].get());
    net_output_blob_indices_.push_back(blob_id);
  }
  for (size_t i = 0; i < blob_names_.size(); ++i) blob_names_index_[blob_names_[i]] = static_cast<int>(i);
  for (size_t i = 0; i < layer_names_.size(); ++i) layer_names_index_[layer_names_[i]] = static_cast<int>(i);
  ShareWeights();
  PlanFusion();
  LOG_IF(INFO, Caffe::root_solver()) << "Network initialization done.";
}

template <typename Dtype>
void Net<Dtype>::AppendLayer(const NetParameter& param, int layer_id, set<string>* available_blobs,
                             map<string, int>* blob_name_to_idx) {
  const LayerParameter& layer_param = param.layer(layer_id);
  layers_.push_back(InLayer(layer_param, [&] { return LayerRegistry<Dtype>::CreateLayer(layer_param); }));
  layer_names_.push_back(layer_param.name());
  Layer<Dtype>& layer = *layers_.back();
  LOG_IF(INFO, Caffe::root_solver()) << "Creating Layer " << layer_param.name();
  const bool on_crossbars = layer_param.type().find("Crossbar") != string::npos;
  LOG_IF(WARNING, layer_param.has_crossbar_param() && !on_crossbars && Caffe::root_solver())
      << "layer '" << layer_param.name() << "' has a crossbar_param, which only crossbar layers read, not "
      << layer_param.type();

  bool need_backward = false;
  for (int i = 0; i < layer_param.bottom_size(); ++i) {
    need_backward |= blob_need_backward_[AppendBottom(param, layer_id, i, available_blobs, blob_name_to_idx)];
    // Asked for by propagate_down.
    need_backward |= bottom_need_backward_[layer_id].back();
  }
  for (int i = 0; i < layer_param.top_size(); ++i) {
    AppendTop(param, layer_id, i, available_blobs, blob_name_to_idx);
    if (layer_param.type() == "Input") {
      const int blob_id = static_cast<int>(blobs_.size()) - 1;
      net_input_blob_indices_.push_back(blob_id);
      net_input_blobs_.push_back(blobs_[blob_id].get());
    }
  }
  if (layer.AutoTopBlobs()) {
    const int needed = std::max(layer.MinTopBlobs(), layer.ExactNumTopBlobs());
    for (int i = layer_param.top_size(); i < needed; ++i) {
      AppendTop(param, layer_id, i, available_blobs, nullptr);
    }
  }

  InLayer(layer_param, [&] { layer.SetUp(bottom_vecs_[layer_id], top_vecs_[layer_id]); });
  LOG_IF(INFO, Caffe::root_solver()) << "Setting up " << layer_param.name();
  for (size_t i = 0; i < top_vecs_[layer_id].size(); ++i) {
    const size_t blob_id = top_id_vecs_[layer_id][i];
    blob_loss_weights_.resize(std::max(blob_loss_weights_.size(), blob_id + 1), Dtype(0));
    blob_loss_weights_[blob_id] = layer.loss(static_cast<int>(i));
    LOG_IF(INFO, Caffe::root_solver()) << "Top shape: " << top_vecs_[layer_id][i]->shape_string();
    if (layer.loss(static_cast<int>(i)) != 0)
      LOG_IF(INFO, Caffe::root_solver()) << "    with loss weight " << layer.loss(static_cast<int>(i));
    memory_used_ += top_vecs_[layer_id][i]->count();
  }
  LOG_IF(INFO, Caffe::root_solver()) << "Memory required for data: " << memory_used_ * sizeof(Dtype);

  const int num_param_blobs = static_cast<int>(layer.blobs().size());
  CAFFE_REQUIRE(layer_param.param_size() <= num_param_blobs)
      << "layer '" << layer_param.name() << "' has " << layer_param.param_size() << " param messages for "
      << num_param_blobs << " parameter blobs";
  // What the layer made of its param messages counts: BatchNorm forbids the solver to touch its statistics.
  const auto& specs = layer.layer_param().param();
  const ParamSpec default_spec;
  for (int i = 0; i < num_param_blobs; ++i) {
    const ParamSpec& spec = i < specs.size() ? specs.Get(i) : default_spec;
    const bool learns = spec.lr_mult() != 0;
    need_backward |= learns;
    layer.set_param_propagate_down(i, learns);
  }
  for (int i = 0; i < num_param_blobs; ++i) AppendParam(param, layer_id, i);

  layer_need_backward_.push_back(need_backward);
  if (need_backward) {
    for (const int top_id : top_id_vecs_[layer_id]) blob_need_backward_[top_id] = true;
  }
}

template <typename Dtype>
void Net<Dtype>::AppendTop(const NetParameter& param, int layer_id, int top_id, set<string>* available_blobs,
                           map<string, int>* blob_name_to_idx) {
  const LayerParameter& layer_param = param.layer(layer_id);
  const string blob_name = layer_param.top_size() > top_id ? layer_param.top(top_id) : "(automatic)";
  const bool named = blob_name_to_idx != nullptr;
  if (named && layer_param.bottom_size() > top_id && blob_name == layer_param.bottom(top_id)) {
    LOG_IF(INFO, Caffe::root_solver()) << layer_param.name() << " -> " << blob_name << " (in-place)";
    const int blob_id = (*blob_name_to_idx)[blob_name];
    top_vecs_[layer_id].push_back(blobs_[blob_id].get());
    top_id_vecs_[layer_id].push_back(blob_id);
  } else {
    CAFFE_REQUIRE(!named || blob_name_to_idx->count(blob_name) == 0)
        << "Top blob '" << blob_name << "' produced by multiple sources: layer '" << layer_param.name()
        << "' makes a blob that exists";
    LOG_IF(INFO, Caffe::root_solver()) << layer_param.name() << " -> " << blob_name;
    const int blob_id = static_cast<int>(blobs_.size());
    blobs_.push_back(std::make_shared<Blob<Dtype>>());
    blob_names_.push_back(blob_name);
    blob_need_backward_.push_back(false);
    if (named) (*blob_name_to_idx)[blob_name] = blob_id;
    top_id_vecs_[layer_id].push_back(blob_id);
    top_vecs_[layer_id].push_back(blobs_.back().get());
  }
  if (named) available_blobs->insert(blob_name);
}

template <typename Dtype>
int Net<Dtype>::AppendBottom(const NetParameter& param, int layer_id, int bottom_id, set<string>* available_blobs,
                             map<string, int>* blob_name_to_idx) {
  const LayerParameter& layer_param = param.layer(layer_id);
  const string& blob_name = layer_param.bottom(bottom_id);
  CHECK(available_blobs->erase(blob_name)) << "layer '" << layer_param.name() << "' reads '" << blob_name << "'";
  LOG_IF(INFO, Caffe::root_solver()) << layer_param.name() << " <- " << blob_name;
  const int blob_id = (*blob_name_to_idx)[blob_name];
  bottom_vecs_[layer_id].push_back(blobs_[blob_id].get());
  bottom_id_vecs_[layer_id].push_back(blob_id);
  bool need_backward = blob_need_backward_[blob_id];
  if (layer_param.propagate_down_size() > 0) need_backward = layer_param.propagate_down(bottom_id);
  bottom_need_backward_[layer_id].push_back(need_backward);
  return blob_id;
}

template <typename Dtype>
void Net<Dtype>::AppendParam(const NetParameter& param, int layer_id, int param_id) {
  const LayerParameter& layer_param = layers_[layer_id]->layer_param();
  const ParamSpec spec = param_id < layer_param.param_size() ? layer_param.param(param_id) : ParamSpec();
  const shared_ptr<Blob<Dtype>>& blob = layers_[layer_id]->blobs()[param_id];
  const int net_param_id = static_cast<int>(params_.size());
  params_.push_back(blob);
  param_id_vecs_[layer_id].push_back(net_param_id);
  param_layer_indices_.emplace_back(layer_id, param_id);
  param_display_names_.push_back(spec.name().empty() ? std::to_string(param_id) : spec.name());

  const auto shared = spec.name().empty() ? param_names_index_.end() : param_names_index_.find(spec.name());
  if (shared == param_names_index_.end()) {
    param_owners_.push_back(-1);
    if (!spec.name().empty()) param_names_index_[spec.name()] = net_param_id;
    const int learnable_id = static_cast<int>(learnable_params_.size());
    learnable_params_.push_back(blob.get());
    learnable_param_ids_.push_back(learnable_id);
    has_params_lr_.push_back(spec.has_lr_mult());
    has_params_decay_.push_back(spec.has_decay_mult());
    params_lr_.push_back(spec.lr_mult());
    params_weight_decay_.push_back(spec.decay_mult());
    return;
  }

  const int owner_id = shared->second;
  param_owners_.push_back(owner_id);
  const auto [owner_layer, owner_param] = param_layer_indices_[owner_id];
  const Blob<Dtype>& owner = *layers_[owner_layer]->blobs()[owner_param];
  LOG_IF(INFO, Caffe::root_solver()) << "Sharing parameters '" << spec.name() << "' owned by layer '"
                                     << layer_names_[owner_layer] << "', param "
                                     << "index " << owner_param;
  const bool permissive = spec.share_mode() == ParamSpec::PERMISSIVE;
  CAFFE_REQUIRE(permissive ? blob->count() == owner.count() : blob->shape() == owner.shape())
      << "layer '" << layer_param.name() << "' cannot share param '" << spec.name() << "' of layer '"
      << layer_names_[owner_layer] << "': its blob has shape " << blob->shape_string() << ", the owner's is "
      << owner.shape_string();
  const int learnable_id = learnable_param_ids_[owner_id];
  learnable_param_ids_.push_back(learnable_id);
  const auto agree = [&](const char* what, bool given, float value, vector<bool>::reference has, float* known) {
    if (!given) return;
    CAFFE_REQUIRE(!has || *known == value)
        << "shared param '" << spec.name() << "' has the " << what << " " << *known << " and " << value;
    has = true;
    *known = value;
  };
  agree("lr_mult", spec.has_lr_mult(), spec.lr_mult(), has_params_lr_[learnable_id], &params_lr_[learnable_id]);
  agree("decay_mult", spec.has_decay_mult(), spec.decay_mult(), has_params_decay_[learnable_id],
        &params_weight_decay_[learnable_id]);
}

// Going back from the losses: a layer runs backward only if it lies on a way from a loss to something that learns.
template <typename Dtype>
void Net<Dtype>::PropagateNeedBackward(const NetParameter& param) {
  set<string> under_loss;
  set<string> skip;  // blobs that reach a loss only through propagate_down: false
  for (int layer_id = static_cast<int>(layers_.size()) - 1; layer_id >= 0; --layer_id) {
    bool contributes = false;
    bool skips = true;
    for (size_t i = 0; i < top_vecs_[layer_id].size(); ++i) {
      const string& name = blob_names_[top_id_vecs_[layer_id][i]];
      if (layers_[layer_id]->loss(static_cast<int>(i)) != 0 || under_loss.count(name)) contributes = true;
      if (!skip.count(name)) skips = false;
    }
    if (layer_need_backward_[layer_id] && skips && !top_vecs_[layer_id].empty()) {
      layer_need_backward_[layer_id] = false;
      std::fill(bottom_need_backward_[layer_id].begin(), bottom_need_backward_[layer_id].end(), false);
    }
    if (!contributes) layer_need_backward_[layer_id] = false;
    LOG_IF(INFO, Caffe::root_solver()) << layer_names_[layer_id]
                                       << (layer_need_backward_[layer_id] ? " needs backward computation."
                                                                          : " does not need backward computation.");
    for (size_t i = 0; i < bottom_vecs_[layer_id].size(); ++i) {
      const string& name = blob_names_[bottom_id_vecs_[layer_id][i]];
      if (contributes)
        under_loss.insert(name);
      else
        bottom_need_backward_[layer_id][i] = false;
      if (!bottom_need_backward_[layer_id][i]) skip.insert(name);
    }
  }
  if (!param.force_backward()) return;
  for (size_t layer_id = 0; layer_id < layers_.size(); ++layer_id) {
    layer_need_backward_[layer_id] = true;
    for (size_t i = 0; i < bottom_need_backward_[layer_id].size(); ++i) {
      const bool allowed = layers_[layer_id]->AllowForceBackward(static_cast<int>(i));
      bottom_need_backward_[layer_id][i] = bottom_need_backward_[layer_id][i] || allowed;
      blob_need_backward_[bottom_id_vecs_[layer_id][i]] =
          blob_need_backward_[bottom_id_vecs_[layer_id][i]] || bottom_need_backward_[layer_id][i];
    }
    for (size_t i = 0; i < layers_[layer_id]->blobs().size(); ++i) {
      layers_[layer_id]->set_param_propagate_down(static_cast<int>(i), true);
    }
  }
}

template <typename Dtype>
void Net<Dtype>::ShareWeights() {
  for (size_t i = 0; i < params_.size(); ++i) {
    if (param_owners_[i] < 0) continue;
    params_[i]->ShareData(*params_[param_owners_[i]]);
    params_[i]->ShareDiff(*params_[param_owners_[i]]);
  }
}

// The other members are instantiated in net.cpp.
#define INSTANTIATE_NET_INIT(Dtype)                                                              \
  template Net<Dtype>::Net(const NetParameter&);                                                 \
  template Net<Dtype>::Net(const string&, Phase, int, const vector<string>*);                    \
  template bool Net<Dtype>::StateMeetsRule(const NetState&, const NetStateRule&, const string&); \
  template void Net<Dtype>::FilterNet(const NetParameter&, NetParameter*);                       \
  template void Net<Dtype>::ShareWeights()
INSTANTIATE_NET_INIT(float);
INSTANTIATE_NET_INIT(double);

}  // namespace caffe
