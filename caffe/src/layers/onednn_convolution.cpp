#include "onednn_convolution.hpp"

#include <algorithm>
#include <cmath>
#include <initializer_list>

namespace caffe::onednn {
namespace {

using dnnl::algorithm;
using dnnl::prop_kind;

// Images of so few channels are read as they are: blocks of channels would be mostly padding.
constexpr int kPlainChannels = 4;

Desc VectorDesc(const Dims& dims) { return Desc(dims, Memory::data_type::f32, Memory::format_tag::a); }

Dims BiasDims(const ConvolutionShape& shape) { return {shape.result[1]}; }

}  // namespace

bool ConvolutionShape::operator==(const ConvolutionShape& other) const {
  return source == other.source && weights == other.weights && result == other.result && strides == other.strides &&
         dilations == other.dilations && pads == other.pads;
}

void Convolution::CreateForward(const ConvolutionShape& shape, bool bias, bool plain_source, bool relu, float slope) {
  if (forward_ && shape == shape_ && bias == bias_ && plain_source == plain_source_ && relu == relu_ &&
      slope == slope_) {
    return;
  }
  forward_ = dnnl::convolution_forward();
  dnnl::primitive_attr attributes;
  if (relu) {
    dnnl::post_ops post;
    post.append_eltwise(1.0f, algorithm::eltwise_relu, slope, 0.0f);
    attributes.set_post_ops(post);
  }
  const Desc source = plain_source ? PlainDesc(shape.source) : AnyDesc(shape.source);
  const dnnl::convolution_forward::desc desc(prop_kind::forward_training, algorithm::convolution_direct, source,
                                             AnyDesc(shape.weights), bias ? VectorDesc(BiasDims(shape)) : Desc(),
                                             AnyDesc(shape.result), shape.strides, shape.dilations, shape.pads,
                                             shape.pads);
  forward_desc_ = dnnl::convolution_forward::primitive_desc(desc, attributes, Engine());
  forward_ = dnnl::convolution_forward(forward_desc_);
  shape_ = shape;
  bias_ = bias;
  plain_source_ = plain_source;
  relu_ = relu;
  slope_ = slope;
  prepared_.clear();  // the layout may be another
}

// With BatchNorm and Scale behind it, y = s ((w x + b) - mean) / deviation + t: a convolution of other weights and
// bias.
void Convolution::PrepareWeights(const vector<shared_ptr<Blob<float>>>& blobs, const Followers<float>& followers,
                                 bool keep) {
  vector<uint64_t> versions;
  for (const auto& blob : blobs) versions.push_back(blob->data()->version());
  for (Layer<float>* layer : std::initializer_list<Layer<float>*>{followers.norm, followers.scale}) {
    versions.push_back(0);
    if (layer == nullptr) continue;
    for (const auto& blob : layer->blobs()) versions.push_back(blob->data()->version());
  }
  if (keep && versions == prepared_) return;

  const Blob<float>& plain = *blobs[0];
  const int outputs = static_cast<int>(shape_.result[1]);
  const bool fold = followers.norm != nullptr || followers.scale != nullptr;
  bias_values_.assign(outputs, 0.0f);
  if (blobs.size() > 1) {
    const auto* bias = static_cast<const float*>(blobs[1]->data()->transient_data(false));
    std::copy_n(bias, outputs, bias_values_.begin());
  }
  auto* values = static_cast<float*>(plain.data()->transient_data(false));
  vector<float> folded;
  if (fold) {
    folded.assign(values, values + plain.count());
    values = folded.data();
    const vector<Followers<float>::ChannelMap> maps = followers.ChannelMaps(outputs);
    const int size = plain.count() / outputs;
    for (int c = 0; c < outputs; ++c) {
      bias_values_[c] = static_cast<float>(bias_values_[c] * maps[c].gain + maps[c].shift);
      for (int i = 0; i < size; ++i) {
        values[c * size + i] = static_cast<float>(values[c * size + i] * maps[c].gain);
      }
    }
  }
  const Desc desc = forward_desc_.weights_desc();
  if (!keep) {
    weights_ = Scratch(desc, kWeights);
  } else if (prepared_.empty() || weights_.get_desc() != desc) {
    weights_ = Memory(desc, Engine());
  }
  Reorder(Memory(PlainDesc(shape_.weights), Engine(), values), weights_);
  prepared_ = keep ? versions : vector<uint64_t>();
}

void Convolution::Forward(const ConvolutionShape& shape, const vector<shared_ptr<Blob<float>>>& blobs,
                          const Followers<float>& followers, bool keep_weights, SyncedMemory* source,
                          SyncedMemory* result) {
  const Memory given = Read(source, shape.source);
  const bool bias = blobs.size() > 1 || followers.norm || followers.scale;
  const bool plain_source = shape.source[1] <= kPlainChannels && given.get_desc() == PlainDesc(shape.source);
  CreateForward(shape, bias, plain_source, followers.relu != nullptr, followers.negative_slope());
  PrepareWeights(blobs, followers, keep_weights);

  const Memory image = Reordered(given, forward_desc_.src_desc(), kSource);
  Output output(result, forward_desc_.dst_desc());
  std::unordered_map<int, Memory> arguments = {
      {DNNL_ARG_SRC, image}, {DNNL_ARG_WEIGHTS, weights_}, {DNNL_ARG_DST, output.memory()}};
  if (bias) arguments[DNNL_ARG_BIAS] = Memory(VectorDesc(BiasDims(shape)), Engine(), bias_values_.data());
  forward_.execute(Stream(), arguments);
  Stream().wait();
  output.Publish();
}

void Convolution::CreateBackward(const ConvolutionShape& shape) {
  if (data_ && shape == backward_shape_) return;
  data_ = dnnl::convolution_backward_data();
  const Desc source = AnyDesc(shape.source), weights = AnyDesc(shape.weights), result = AnyDesc(shape.result);
  const auto direct = algorithm::convolution_direct;
  const dnnl::convolution_forward::primitive_desc hint(
      dnnl::convolution_forward::desc(prop_kind::forward_training, direct, source, weights, result, shape.strides,
                                      shape.dilations, shape.pads, shape.pads),
      Engine());
  weights_desc_ = dnnl::convolution_backward_weights::primitive_desc(
      dnnl::convolution_backward_weights::desc(direct, source, weights, VectorDesc(BiasDims(shape)), result,
                                               shape.strides, shape.dilations, shape.pads, shape.pads),
      Engine(), hint);
  data_desc_ = dnnl::convolution_backward_data::primitive_desc(
      dnnl::convolution_backward_data::desc(direct, source, weights, result, shape.strides, shape.dilations, shape.pads,
                                            shape.pads),
      Engine(), hint);
  weights_gradient_ = dnnl::convolution_backward_weights(weights_desc_);
  data_ = dnnl::convolution_backward_data(data_desc_);
  backward_shape_ = shape;
}

void Convolution::Backward(const ConvolutionShape& shape, const vector<shared_ptr<Blob<float>>>& blobs, bool weights,
                           bool bias, SyncedMemory* source, SyncedMemory* result_diff, SyncedMemory* source_diff) {
  CreateBackward(shape);
  const Memory gradient = Read(result_diff, shape.result);
  if (weights || bias) {
    const Memory image = Reordered(Read(source, shape.source), weights_desc_.src_desc(), kSource);
    const Memory out = Reordered(gradient, weights_desc_.diff_dst_desc(), kResult);
    const Memory weights_diff = Scratch(weights_desc_.diff_weights_desc(), kWeights);
    vector<float> bias_diff(shape.result[1]);
    weights_gradient_.execute(Stream(),
                              {{DNNL_ARG_SRC, image},
                               {DNNL_ARG_DIFF_DST, out},
                               {DNNL_ARG_DIFF_WEIGHTS, weights_diff},
                               {DNNL_ARG_DIFF_BIAS, Memory(VectorDesc(BiasDims(shape)), Engine(), bias_diff.data())}});
    Stream().wait();
    if (weights) ReorderAdd(weights_diff, Memory(PlainDesc(shape.weights), Engine(), blobs[0]->mutable_cpu_diff()));
    if (bias) {
      float* sums = blobs[1]->mutable_cpu_diff();
      for (size_t c = 0; c < bias_diff.size(); ++c) sums[c] += bias_diff[c];
    }
  }
  if (source_diff == nullptr) return;
  const Memory plain(PlainDesc(shape.weights), Engine(), blobs[0]->data()->transient_data(false));
  const Memory filters = Reordered(plain, data_desc_.weights_desc(), kWeights);
  const Memory out = Reordered(gradient, data_desc_.diff_dst_desc(), kResult);
  Output output(source_diff, data_desc_.diff_src_desc());
  data_.execute(Stream(),
                {{DNNL_ARG_DIFF_DST, out}, {DNNL_ARG_WEIGHTS, filters}, {DNNL_ARG_DIFF_SRC, output.memory()}});
  Stream().wait();
  output.Publish();
}

}  // namespace caffe::onednn
