#include "onednn_convolution.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <initializer_list>
#include <numeric>

namespace caffe::onednn {
namespace {

using dnnl::algorithm;
using dnnl::prop_kind;

// Images of so few channels are read as they are: blocks of channels would be mostly padding.
constexpr int kPlainChannels = 4;

Desc VectorDesc(const Dims& dims) { return Desc(dims, Memory::data_type::f32, Memory::format_tag::a); }

Dims BiasDims(const ConvolutionShape& shape) { return {shape.result[1]}; }

// One value for each channel of the result.
Desc GainDesc(const ConvolutionShape& shape) { return PlainDesc({1, shape.result[1], 1, 1}); }

// A gain of the channels of a result costs time for each of its values; in the weights it costs a second copy of them.
// Where weights are many it takes some hundredths of the time of the convolution, at most.
bool GainsTheResult(const ConvolutionShape& shape) {
  constexpr dnnl_dim_t kWeightsPerValue = 4;
  const auto product = [](const Dims& dims, size_t first) {
    return std::accumulate(dims.begin() + first, dims.end(), dnnl_dim_t{1}, std::multiplies<>());
  };
  return product(shape.weights, 0) >= kWeightsPerValue * product(shape.result, 1);
}

}  // namespace

bool ConvolutionShape::operator==(const ConvolutionShape& other) const {
  return source == other.source && weights == other.weights && result == other.result && strides == other.strides &&
         dilations == other.dilations && pads == other.pads;
}

void Convolution::CreateForward(const ConvolutionShape& shape, bool bias, bool gain, bool plain_source, bool relu,
                                float slope) {
  if (forward_ && shape == shape_ && bias == bias_ && gain == gain_ && plain_source == plain_source_ && relu == relu_ &&
      slope == slope_) {
    return;
  }
  forward_ = dnnl::convolution_forward();
  dnnl::post_ops post;
  if (gain) post.append_binary(algorithm::binary_mul, GainDesc(shape));
  if (relu) post.append_eltwise(1.0f, algorithm::eltwise_relu, slope, 0.0f);
  dnnl::primitive_attr attributes;
  attributes.set_post_ops(post);
  const Desc source = plain_source ? PlainDesc(shape.source) : AnyDesc(shape.source);
  const dnnl::convolution_forward::desc desc(prop_kind::forward_training, algorithm::convolution_direct, source,
                                             AnyDesc(shape.weights), bias ? VectorDesc(BiasDims(shape)) : Desc(),
                                             AnyDesc(shape.result), shape.strides, shape.dilations, shape.pads,
                                             shape.pads);
  forward_desc_ = dnnl::convolution_forward::primitive_desc(desc, attributes, Engine());
  forward_ = dnnl::convolution_forward(forward_desc_);
  shape_ = shape;
  bias_ = bias;
  gain_ = gain;
  plain_source_ = plain_source;
  relu_ = relu;
  slope_ = slope;
  prepared_.clear();  // the layout may be another
}

// With BatchNorm and Scale behind it, y = s ((w x + b) - mean) / deviation + t = g w x + c: a convolution of other
// weights and bias, or with a gain, g (w x + c / g).
void Convolution::PrepareChannels(const vector<shared_ptr<Blob<float>>>& blobs, const Followers<float>& followers) {
  // Below it a gain leaves nothing of w x; c / g must stay finite.
  constexpr float kSmallestGain = 1e-20f;
  const int outputs = static_cast<int>(shape_.result[1]);
  biases_.assign(outputs, 0.0f);
  if (blobs.size() > 1) {
    const auto* bias = static_cast<const float*>(blobs[1]->data()->transient_data(false));
    std::copy_n(bias, outputs, biases_.begin());
  }
  gains_.clear();
  if (followers.norm == nullptr && followers.scale == nullptr) return;
  // Primitives may work on channels that fill up the last block: zeros leave those zero.
  constexpr int kLargestBlock = 64;
  gains_.assign((outputs + kLargestBlock - 1) / kLargestBlock * kLargestBlock, 0.0f);
  const vector<Followers<float>::ChannelMap> maps = followers.ChannelMaps(outputs);
  for (int c = 0; c < outputs; ++c) {
    gains_[c] = static_cast<float>(maps[c].gain);
    const double shift = biases_[c] * maps[c].gain + maps[c].shift;
    if (gain_ && std::abs(gains_[c]) < kSmallestGain) gains_[c] = kSmallestGain;
    biases_[c] = static_cast<float>(gain_ ? shift / gains_[c] : shift);
  }
}

void Convolution::PrepareWeights(Blob<float>* blob) {
  SyncedMemory& values = *blob->data();
  Memory given = Read(&values, shape_.weights);
  const Desc desc = forward_desc_.weights_desc();
  vector<float> folded;
  if (!gain_ && !gains_.empty()) {
    const auto* plain = static_cast<const float*>(values.transient_data(false));
    const int size = blob->count() / static_cast<int>(shape_.result[1]);
    folded.resize(blob->count());
    for (int i = 0; i < blob->count(); ++i) folded[i] = plain[i] * gains_[i / size];
    given = Memory(PlainDesc(shape_.weights), Engine(), folded.data());
  } else if (given.get_desc() == desc) {
    weights_ = std::dynamic_pointer_cast<Tensor>(values.foreign());
    return;
  }
  // Written again where nobody else reads it.
  const long holders = values.last_foreign() == weights_ && values.foreign() == nullptr ? 2 : 1;
  if (weights_ == nullptr || weights_->desc() != desc || weights_.use_count() > holders) {
    weights_ = std::make_shared<Tensor>(desc);
  }
  Reorder(given, weights_->memory());
  // Others that share the memory may read plain values in their threads.
  const bool shared = blob->data().use_count() > 1 || values.size() != blob->count() * sizeof(float);
  if (folded.empty() && !shared) values.add_foreign(weights_);
}

Memory Convolution::Weights(const vector<shared_ptr<Blob<float>>>& blobs, const Followers<float>& followers,
                            bool keep) {
  if (!keep) {
    prepared_.clear();
    weights_ = nullptr;
    PrepareChannels(blobs, followers);
    return Reordered(Read(blobs[0]->data().get(), shape_.weights), forward_desc_.weights_desc(), kWeights);
  }
  vector<uint64_t> versions;
  for (const auto& blob : blobs) versions.push_back(blob->data()->version());
  for (Layer<float>* layer : std::initializer_list<Layer<float>*>{followers.norm, followers.scale}) {
    versions.push_back(0);
    if (layer == nullptr) continue;
    for (const auto& blob : layer->blobs()) versions.push_back(blob->data()->version());
  }
  if (versions != prepared_) {
    PrepareChannels(blobs, followers);
    PrepareWeights(blobs[0].get());
    prepared_ = versions;
  }
  return weights_ ? weights_->memory() : Read(blobs[0]->data().get(), shape_.weights);
}

void Convolution::Forward(const ConvolutionShape& shape, const vector<shared_ptr<Blob<float>>>& blobs,
                          const Followers<float>& followers, bool keep_weights, SyncedMemory* source,
                          SyncedMemory* result) {
  const Memory given = Read(source, shape.source);
  const bool normed = followers.norm || followers.scale, bias = blobs.size() > 1 || normed;
  const bool plain_source = shape.source[1] <= kPlainChannels && given.get_desc() == PlainDesc(shape.source);
  // Weights for this call alone have no copy that it could be put into.
  const bool gain = normed && (!keep_weights || GainsTheResult(shape));
  CreateForward(shape, bias, gain, plain_source, followers.relu != nullptr, followers.negative_slope());

  const Memory image = Reordered(given, forward_desc_.src_desc(), kSource);
  Output output(result, forward_desc_.dst_desc());
  std::unordered_map<int, Memory> arguments = {{DNNL_ARG_SRC, image},
                                               {DNNL_ARG_WEIGHTS, Weights(blobs, followers, keep_weights)},
                                               {DNNL_ARG_DST, output.memory()}};
  if (bias) arguments[DNNL_ARG_BIAS] = Memory(VectorDesc(BiasDims(shape)), Engine(), biases_.data());
  if (gain) {
    arguments[DNNL_ARG_ATTR_MULTIPLE_POST_OP(0) | DNNL_ARG_SRC_1] = Memory(GainDesc(shape), Engine(), gains_.data());
  }
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
  const Memory given = Read(blobs[0]->data().get(), shape.weights);
  const Memory filters = Reordered(given, data_desc_.weights_desc(), kWeights);
  const Memory out = Reordered(gradient, data_desc_.diff_dst_desc(), kResult);
  Output output(source_diff, data_desc_.diff_src_desc());
  data_.execute(Stream(),
                {{DNNL_ARG_DIFF_DST, out}, {DNNL_ARG_WEIGHTS, filters}, {DNNL_ARG_DIFF_SRC, output.memory()}});
  Stream().wait();
  output.Publish();
}

}  // namespace caffe::onednn
