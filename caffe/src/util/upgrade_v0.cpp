#include "caffe/util/upgrade_v0.hpp"

#include "caffe/common.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

using Layers = google::protobuf::RepeatedPtrField<V1LayerParameter>;

void UpgradeConvolution(const V0LayerParameter& v0, ConvolutionParameter* param) {
  if (v0.has_num_output()) param->set_num_output(v0.num_output());
  if (v0.has_biasterm()) param->set_bias_term(v0.biasterm());
  if (v0.has_weight_filler()) *param->mutable_weight_filler() = v0.weight_filler();
  if (v0.has_bias_filler()) *param->mutable_bias_filler() = v0.bias_filler();
  if (v0.has_pad()) param->add_pad(v0.pad());
  if (v0.has_kernelsize()) param->add_kernel_size(v0.kernelsize());
  if (v0.has_stride()) param->add_stride(v0.stride());
  if (v0.has_group()) param->set_group(v0.group());
}

void UpgradeInnerProduct(const V0LayerParameter& v0, InnerProductParameter* param) {
  if (v0.has_num_output()) param->set_num_output(v0.num_output());
  if (v0.has_biasterm()) param->set_bias_term(v0.biasterm());
  if (v0.has_weight_filler()) *param->mutable_weight_filler() = v0.weight_filler();
  if (v0.has_bias_filler()) *param->mutable_bias_filler() = v0.bias_filler();
}

void UpgradePooling(const V0LayerParameter& v0, PoolingParameter* param) {
  if (v0.has_pool()) param->set_pool(static_cast<PoolingParameter::PoolMethod>(v0.pool()));
  if (v0.has_pad()) param->set_pad(v0.pad());
  if (v0.has_kernelsize()) param->set_kernel_size(v0.kernelsize());
  if (v0.has_stride()) param->set_stride(v0.stride());
}

void UpgradeLrn(const V0LayerParameter& v0, LRNParameter* param) {
  if (v0.has_local_size()) param->set_local_size(v0.local_size());
  if (v0.has_alpha()) param->set_alpha(v0.alpha());
  if (v0.has_beta()) param->set_beta(v0.beta());
  if (v0.has_k()) param->set_k(v0.k());
}

// What the three image sources have in common.
template <typename DataParam>
void UpgradeSource(const V0LayerParameter& v0, DataParam* param) {
  if (v0.has_source()) param->set_source(v0.source());
  if (v0.has_batchsize()) param->set_batch_size(v0.batchsize());
}

void UpgradeWindows(const V0LayerParameter& v0, WindowDataParameter* param) {
  if (v0.has_det_fg_threshold()) param->set_fg_threshold(v0.det_fg_threshold());
  if (v0.has_det_bg_threshold()) param->set_bg_threshold(v0.det_bg_threshold());
  if (v0.has_det_fg_fraction()) param->set_fg_fraction(v0.det_fg_fraction());
  if (v0.has_det_context_pad()) param->set_context_pad(v0.det_context_pad());
  if (v0.has_det_crop_mode()) param->set_crop_mode(v0.det_crop_mode());
}

void UpgradeTransform(const V0LayerParameter& v0, V1LayerParameter* v1) {
  if (!v0.has_scale() && !v0.has_meanfile() && !v0.has_cropsize() && !v0.has_mirror()) return;
  TransformationParameter* param = v1->mutable_transform_param();
  if (v0.has_scale()) param->set_scale(v0.scale());
  if (v0.has_meanfile()) param->set_mean_file(v0.meanfile());
  if (v0.has_cropsize()) param->set_crop_size(v0.cropsize());
  if (v0.has_mirror()) param->set_mirror(v0.mirror());
}

void UpgradeOwnParameters(const V0LayerParameter& v0, V1LayerParameter* v1) {
  switch (v1->type()) {
    case V1LayerParameter::CONVOLUTION:
      return UpgradeConvolution(v0, v1->mutable_convolution_param());
    case V1LayerParameter::INNER_PRODUCT:
      return UpgradeInnerProduct(v0, v1->mutable_inner_product_param());
    case V1LayerParameter::POOLING:
      return UpgradePooling(v0, v1->mutable_pooling_param());
    case V1LayerParameter::LRN:
      return UpgradeLrn(v0, v1->mutable_lrn_param());
    case V1LayerParameter::DROPOUT:
      if (v0.has_dropout_ratio()) v1->mutable_dropout_param()->set_dropout_ratio(v0.dropout_ratio());
      return;
    case V1LayerParameter::CONCAT:
      if (v0.has_concat_dim()) v1->mutable_concat_param()->set_concat_dim(v0.concat_dim());
      return;
    case V1LayerParameter::INFOGAIN_LOSS:
      if (v0.has_source()) v1->mutable_infogain_loss_param()->set_source(v0.source());
      return;
    case V1LayerParameter::HDF5_DATA:
      return UpgradeSource(v0, v1->mutable_hdf5_data_param());
    case V1LayerParameter::HDF5_OUTPUT:
      if (v0.has_hdf5_output_param()) *v1->mutable_hdf5_output_param() = v0.hdf5_output_param();
      return;
    case V1LayerParameter::DATA:
      UpgradeSource(v0, v1->mutable_data_param());
      if (v0.has_rand_skip()) v1->mutable_data_param()->set_rand_skip(v0.rand_skip());
      return;
    case V1LayerParameter::IMAGE_DATA: {
      ImageDataParameter* param = v1->mutable_image_data_param();
      UpgradeSource(v0, param);
      if (v0.has_rand_skip()) param->set_rand_skip(v0.rand_skip());
      if (v0.has_shuffle_images()) param->set_shuffle(v0.shuffle_images());
      if (v0.has_new_height()) param->set_new_height(v0.new_height());
      if (v0.has_new_width()) param->set_new_width(v0.new_width());
      return;
    }
    case V1LayerParameter::WINDOW_DATA:
      UpgradeSource(v0, v1->mutable_window_data_param());
      return UpgradeWindows(v0, v1->mutable_window_data_param());
    default:
      return;
  }
}

// Padding was once a layer of its own: it becomes the pad of the layer that reads it.
Layers FoldPadding(const Layers& layers) {
  map<string, const V1LayerParameter*> padding;  // by the name of its top
  Layers result;
  for (const V1LayerParameter& layer : layers) {
    if (layer.layer().type() == "padding") {
      CAFFE_REQUIRE(layer.bottom_size() == 1 && layer.top_size() == 1)
          << "padding layer '" << layer.layer().name() << "' must have one bottom and one top";
      padding[layer.top(0)] = &layer;
      continue;
    }
    V1LayerParameter* folded = result.Add();
    *folded = layer;
    for (int i = 0; i < layer.bottom_size(); ++i) {
      const auto pad = padding.find(layer.bottom(i));
      if (pad == padding.end()) continue;
      const string& type = layer.layer().type();
      CAFFE_REQUIRE(type == "conv" || type == "pool")
          << "padding layer '" << pad->second->layer().name() << "' is read by '" << layer.layer().name()
          << "', which is neither a convolution nor a pooling";
      folded->mutable_layer()->set_pad(pad->second->layer().pad());
      folded->set_bottom(i, pad->second->bottom(0));
    }
  }
  return result;
}

}  // namespace

V1LayerParameter_LayerType UpgradeV0LayerType(const string& type) {
  static const map<string, V1LayerParameter::LayerType> types = {
      {"accuracy", V1LayerParameter::ACCURACY},
      {"bnll", V1LayerParameter::BNLL},
      {"concat", V1LayerParameter::CONCAT},
      {"conv", V1LayerParameter::CONVOLUTION},
      {"data", V1LayerParameter::DATA},
      {"dropout", V1LayerParameter::DROPOUT},
      {"euclidean_loss", V1LayerParameter::EUCLIDEAN_LOSS},
      {"flatten", V1LayerParameter::FLATTEN},
      {"hdf5_data", V1LayerParameter::HDF5_DATA},
      {"hdf5_output", V1LayerParameter::HDF5_OUTPUT},
      {"im2col", V1LayerParameter::IM2COL},
      {"images", V1LayerParameter::IMAGE_DATA},
      {"infogain_loss", V1LayerParameter::INFOGAIN_LOSS},
      {"innerproduct", V1LayerParameter::INNER_PRODUCT},
      {"lrn", V1LayerParameter::LRN},
      {"multinomial_logistic_loss", V1LayerParameter::MULTINOMIAL_LOGISTIC_LOSS},
      {"pool", V1LayerParameter::POOLING},
      {"relu", V1LayerParameter::RELU},
      {"sigmoid", V1LayerParameter::SIGMOID},
      {"softmax", V1LayerParameter::SOFTMAX},
      {"softmax_loss", V1LayerParameter::SOFTMAX_LOSS},
      {"split", V1LayerParameter::SPLIT},
      {"tanh", V1LayerParameter::TANH},
      {"window_data", V1LayerParameter::WINDOW_DATA},
  };
  const auto found = types.find(type);
  CAFFE_REQUIRE(found != types.end()) << "unknown V0 layer type '" << type << "'";
  return found->second;
}

bool UpgradeV0LayerParameter(const V1LayerParameter& v0_layer_connection, V1LayerParameter* layer_param) {
  V1LayerParameter layer;
  *layer.mutable_bottom() = v0_layer_connection.bottom();
  *layer.mutable_top() = v0_layer_connection.top();
  const V0LayerParameter& v0 = v0_layer_connection.layer();
  layer.set_name(v0.name());
  *layer.mutable_blobs() = v0.blobs();
  *layer.mutable_blobs_lr() = v0.blobs_lr();
  *layer.mutable_weight_decay() = v0.weight_decay();
  if (!v0.type().empty()) layer.set_type(UpgradeV0LayerType(v0.type()));
  UpgradeOwnParameters(v0, &layer);
  UpgradeTransform(v0, &layer);
  *layer_param = std::move(layer);
  return true;
}

void UpgradeV0PaddingLayers(const NetParameter& param, NetParameter* param_upgraded_pad) {
  NetParameter result = param;
  *result.mutable_layers() = FoldPadding(param.layers());
  *param_upgraded_pad = std::move(result);
}

Layers UpgradeV0Layers(const Layers& layers) {
  Layers result;
  for (const V1LayerParameter& old : FoldPadding(layers)) {
    if (old.has_layer()) {
      UpgradeV0LayerParameter(old, result.Add());
    } else {
      *result.Add() = old;
    }
  }
  return result;
}

}  // namespace caffe
