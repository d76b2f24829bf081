#include "caffe/util/upgrade_proto.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <filesystem>
#include <iterator>

#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_v0.hpp"

namespace caffe {
namespace {

// The type string of a V1 type, e.g. INNER_PRODUCT -> InnerProduct. Words keep a capital each; the exceptions are names
// that are no words.
string TypeOfV1(V1LayerParameter::LayerType type) {
  static const map<V1LayerParameter::LayerType, string> exceptions = {
      {V1LayerParameter::NONE, ""},
      {V1LayerParameter::ABSVAL, "AbsVal"},
      {V1LayerParameter::ARGMAX, "ArgMax"},
      {V1LayerParameter::BNLL, "BNLL"},
      {V1LayerParameter::HDF5_DATA, "HDF5Data"},
      {V1LayerParameter::HDF5_OUTPUT, "HDF5Output"},
      {V1LayerParameter::IM2COL, "Im2col"},
      {V1LayerParameter::LRN, "LRN"},
      {V1LayerParameter::MVN, "MVN"},
      {V1LayerParameter::RELU, "ReLU"},
      {V1LayerParameter::SOFTMAX_LOSS, "SoftmaxWithLoss"},
      {V1LayerParameter::TANH, "TanH"},
  };
  const auto exception = exceptions.find(type);
  if (exception != exceptions.end()) return exception->second;
  string result;
  bool start = true;
  for (const char c : V1LayerParameter::LayerType_Name(type)) {
    if (c == '_') {
      start = true;
      continue;
    }
    result += static_cast<char>(start ? c : std::tolower(c));
    start = false;
  }
  return result;
}

// Copies every *_param message the two layer forms have under the same name.
void CopyLayerMessages(const V1LayerParameter& from, LayerParameter* to) {
  using google::protobuf::FieldDescriptor;
  for (int i = 0; i < V1LayerParameter::descriptor()->field_count(); ++i) {
    const FieldDescriptor* source = V1LayerParameter::descriptor()->field(i);
    const FieldDescriptor* target = LayerParameter::descriptor()->FindFieldByName(source->name());
    if (target == nullptr || source->is_repeated() || source->message_type() == nullptr ||
        target->message_type() != source->message_type() || !from.GetReflection()->HasField(from, source)) {
      continue;
    }
    to->GetReflection()->MutableMessage(to, target)->CopyFrom(from.GetReflection()->GetMessage(from, source));
  }
}

ParamSpec* SpecAt(LayerParameter* layer, int index) {
  while (layer->param_size() <= index) layer->add_param();
  return layer->mutable_param(index);
}

// Data layers once held the fields of transform_param themselves.
template <typename DataParam>
bool HasOldTransform(const DataParam& data) {
  return data.has_scale() || data.has_mean_file() || data.has_crop_size() || data.has_mirror();
}

template <typename DataParam>
void MoveOldTransform(DataParam* data, TransformationParameter* transform) {
  if (data->has_scale()) transform->set_scale(data->scale());
  if (data->has_mean_file()) transform->set_mean_file(data->mean_file());
  if (data->has_crop_size()) transform->set_crop_size(data->crop_size());
  if (data->has_mirror()) transform->set_mirror(data->mirror());
  data->clear_scale();
  data->clear_mean_file();
  data->clear_crop_size();
  data->clear_mirror();
}

// Both layer forms carry the same three messages.
template <typename LayerType>
bool LayerHasOldTransform(const LayerType& layer) {
  return HasOldTransform(layer.data_param()) || HasOldTransform(layer.image_data_param()) ||
         HasOldTransform(layer.window_data_param());
}

template <typename LayerType>
void MoveOldTransformOfLayer(LayerType* layer) {
  TransformationParameter* transform = layer->mutable_transform_param();
  if (HasOldTransform(layer->data_param())) MoveOldTransform(layer->mutable_data_param(), transform);
  if (HasOldTransform(layer->image_data_param())) MoveOldTransform(layer->mutable_image_data_param(), transform);
  if (HasOldTransform(layer->window_data_param())) MoveOldTransform(layer->mutable_window_data_param(), transform);
}

bool IsOldBatchNorm(const LayerParameter& layer) { return layer.type() == "BatchNorm" && layer.param_size() == 3; }

}  // namespace

const char* UpgradeV1LayerType(V1LayerParameter_LayerType type) {
  // Never freed: callers keep the pointer.
  static const auto* const names = [] {
    auto* all = new map<int, string>;
    for (int i = 0; i < V1LayerParameter_LayerType_LayerType_ARRAYSIZE; ++i) {
      if (V1LayerParameter_LayerType_IsValid(i)) (*all)[i] = TypeOfV1(static_cast<V1LayerParameter_LayerType>(i));
    }
    return all;
  }();
  const auto found = names->find(type);
  CAFFE_REQUIRE(found != names->end()) << "unknown V1 layer type " << static_cast<int>(type);
  return found->second.c_str();
}

bool UpgradeV1LayerParameter(const V1LayerParameter& v1, LayerParameter* layer_param) {
  CAFFE_REQUIRE(!v1.has_layer()) << "layer '" << v1.layer().name() << "' mixes the V0 and the V1 form";
  LayerParameter layer;
  layer.set_name(v1.name());
  layer.set_type(TypeOfV1(v1.type()));
  *layer.mutable_bottom() = v1.bottom();
  *layer.mutable_top() = v1.top();
  *layer.mutable_include() = v1.include();
  *layer.mutable_exclude() = v1.exclude();
  *layer.mutable_blobs() = v1.blobs();
  *layer.mutable_loss_weight() = v1.loss_weight();
  for (int i = 0; i < v1.param_size(); ++i) SpecAt(&layer, i)->set_name(v1.param(i));
  for (int i = 0; i < v1.blob_share_mode_size(); ++i) {
    SpecAt(&layer, i)->set_share_mode(static_cast<ParamSpec::DimCheckMode>(v1.blob_share_mode(i)));
  }
  for (int i = 0; i < v1.blobs_lr_size(); ++i) SpecAt(&layer, i)->set_lr_mult(v1.blobs_lr(i));
  for (int i = 0; i < v1.weight_decay_size(); ++i) SpecAt(&layer, i)->set_decay_mult(v1.weight_decay(i));
  CopyLayerMessages(v1, &layer);
  *layer_param = std::move(layer);
  return true;
}

bool NetNeedsV0ToV1Upgrade(const NetParameter& param) {
  return std::any_of(param.layers().begin(), param.layers().end(),
                     [](const V1LayerParameter& layer) { return layer.has_layer(); });
}

bool NetNeedsV1ToV2Upgrade(const NetParameter& param) { return param.layers_size() > 0; }

bool NetNeedsDataUpgrade(const NetParameter& param) {
  return std::any_of(param.layers().begin(), param.layers().end(), LayerHasOldTransform<V1LayerParameter>) ||
         std::any_of(param.layer().begin(), param.layer().end(), LayerHasOldTransform<LayerParameter>);
}

bool NetNeedsInputUpgrade(const NetParameter& param) { return param.input_size() > 0; }

bool NetNeedsBatchNormUpgrade(const NetParameter& param) {
  return std::any_of(param.layer().begin(), param.layer().end(), [](const LayerParameter& layer) {
    return IsOldBatchNorm(layer) && std::any_of(layer.param().begin(), layer.param().end(),
                                                [](const ParamSpec& spec) { return spec.lr_mult() != 0; });
  });
}

bool NetNeedsUpgrade(const NetParameter& param) {
  return NetNeedsV0ToV1Upgrade(param) || NetNeedsV1ToV2Upgrade(param) || NetNeedsDataUpgrade(param) ||
         NetNeedsInputUpgrade(param) || NetNeedsBatchNormUpgrade(param);
}

bool UpgradeV0Net(const NetParameter& v0, NetParameter* v1) {
  NetParameter result = v0;
  *result.mutable_layers() = UpgradeV0Layers(v0.layers());
  *v1 = std::move(result);
  return true;
}

void UpgradeNetDataTransformation(NetParameter* param) {
  for (V1LayerParameter& layer : *param->mutable_layers()) {
    if (LayerHasOldTransform(layer)) MoveOldTransformOfLayer(&layer);
  }
  for (LayerParameter& layer : *param->mutable_layer()) {
    if (LayerHasOldTransform(layer)) MoveOldTransformOfLayer(&layer);
  }
}

bool UpgradeV1Net(const NetParameter& v1, NetParameter* v2) {
  CAFFE_REQUIRE(v1.layer_size() == 0) << "a network has both 'layer' and old 'layers' entries; use one kind";
  NetParameter result = v1;
  result.clear_layers();
  for (const V1LayerParameter& layer : v1.layers()) UpgradeV1LayerParameter(layer, result.add_layer());
  *v2 = std::move(result);
  return true;
}

void UpgradeNetInput(NetParameter* param) {
  const int inputs = param->input_size();
  // Weight files of old nets name inputs without shapes: there is nothing an Input layer could be made of.
  const bool has_shapes = param->input_shape_size() > 0 || param->input_dim_size() > 0;
  if (has_shapes) {
    CAFFE_REQUIRE(param->input_shape_size() == 0 || param->input_dim_size() == 0)
        << "a network has both input_shape and input_dim; use one kind";
    CAFFE_REQUIRE(param->input_shape_size() == inputs || param->input_dim_size() == 4 * inputs)
        << "a network with " << inputs << " inputs needs " << inputs << " input_shape or " << 4 * inputs
        << " input_dim entries, it has " << param->input_shape_size() << " and " << param->input_dim_size();
    LayerParameter input;
    input.set_name("input");
    input.set_type("Input");
    for (int i = 0; i < inputs; ++i) {
      input.add_top(param->input(i));
      BlobShape* shape = input.mutable_input_param()->add_shape();
      if (param->input_shape_size() > 0) {
        *shape = param->input_shape(i);
      } else {
        for (int axis = 0; axis < 4; ++axis) shape->add_dim(param->input_dim(4 * i + axis));
      }
    }
    // To the front: inputs are there before any layer.
    *param->add_layer() = input;
    std::rotate(param->mutable_layer()->pointer_begin(), std::prev(param->mutable_layer()->pointer_end()),
                param->mutable_layer()->pointer_end());
  }
  param->clear_input();
  param->clear_input_shape();
  param->clear_input_dim();
}

// Its three blobs are statistics: nothing that a solver may touch.
void UpgradeNetBatchNorm(NetParameter* param) {
  for (LayerParameter& layer : *param->mutable_layer()) {
    if (!IsOldBatchNorm(layer)) continue;
    for (ParamSpec& spec : *layer.mutable_param()) {
      spec.set_lr_mult(0);
      spec.set_decay_mult(0);
    }
  }
}

bool UpgradeNetAsNeeded(const string& param_file, NetParameter* param) {
  try {
    if (NetNeedsV0ToV1Upgrade(*param)) {
      LOG(INFO) << "Upgrading V0 layers: " << param_file;
      UpgradeV0Net(NetParameter(*param), param);
    }
    if (NetNeedsDataUpgrade(*param)) {
      LOG(INFO) << "Upgrading old data transformation fields: " << param_file;
      UpgradeNetDataTransformation(param);
    }
    if (NetNeedsV1ToV2Upgrade(*param)) {
      LOG(INFO) << "Upgrading V1 layers: " << param_file;
      UpgradeV1Net(NetParameter(*param), param);
    }
    if (NetNeedsInputUpgrade(*param)) {
      LOG(INFO) << "Upgrading input fields to an Input layer: " << param_file;
      UpgradeNetInput(param);
    }
    if (NetNeedsBatchNormUpgrade(*param)) {
      LOG(INFO) << "Upgrading batch norm layers: " << param_file;
      UpgradeNetBatchNorm(param);
    }
  } catch (const Error& error) {
    throw Error(param_file + ": " + error.what());
  }
  return true;
}

void ReadNetParamsFromTextFileOrDie(const string& param_file, NetParameter* param) {
  ReadProtoFromTextFileOrDie(param_file, param);
  UpgradeNetAsNeeded(param_file, param);
}

void ReadNetParamsFromBinaryFileOrDie(const string& param_file, NetParameter* param) {
  ReadProtoFromBinaryFileOrDie(param_file, param);
  UpgradeNetAsNeeded(param_file, param);
}

bool SolverNeedsTypeUpgrade(const SolverParameter& param) { return param.has_solver_type(); }

bool UpgradeSolverType(SolverParameter* param) {
  CAFFE_REQUIRE(!param->has_type()) << "a solver has both type and the old solver_type; give type alone";
  static const map<SolverParameter::SolverType, string> names = {
      {SolverParameter::SGD, "SGD"},           {SolverParameter::NESTEROV, "Nesterov"},
      {SolverParameter::ADAGRAD, "AdaGrad"},   {SolverParameter::RMSPROP, "RMSProp"},
      {SolverParameter::ADADELTA, "AdaDelta"}, {SolverParameter::ADAM, "Adam"},
  };
  param->set_type(names.at(param->solver_type()));
  param->clear_solver_type();
  return true;
}

bool UpgradeSolverAsNeeded(const string& param_file, SolverParameter* param) {
  if (!SolverNeedsTypeUpgrade(*param)) return true;
  LOG(INFO) << "Upgrading the solver type: " << param_file;
  try {
    return UpgradeSolverType(param);
  } catch (const Error& error) {
    throw Error(param_file + ": " + error.what());
  }
}

void UpgradeSnapshotPrefixProperty(const string& param_file, SolverParameter* param) {
  namespace fs = std::filesystem;
  const fs::path file(param_file);
  if (!param->has_snapshot_prefix()) {
    param->set_snapshot_prefix(fs::path(file).replace_extension().string());
    LOG(INFO) << "snapshot_prefix was not specified and is set to " << param->snapshot_prefix();
  } else if (fs::is_directory(param->snapshot_prefix())) {
    param->set_snapshot_prefix((fs::path(param->snapshot_prefix()) / file.stem()).string());
    LOG(INFO) << "snapshot_prefix was a directory and is replaced by " << param->snapshot_prefix();
  }
}

void ReadSolverParamsFromTextFileOrDie(const string& param_file, SolverParameter* param) {
  ReadProtoFromTextFileOrDie(param_file, param);
  UpgradeSolverAsNeeded(param_file, param);
  UpgradeSnapshotPrefixProperty(param_file, param);
}

}  // namespace caffe
