// A convolution of float images by oneDNN: primitives, kept until shapes change, and reordered weights.
#pragma once

#include <vector>

#include "../util/onednn.hpp"
#include "caffe/followers.hpp"
#include "caffe/layer.hpp"

namespace caffe::onednn {

// In two spatial axes; dims as oneDNN has them: (N, C, H, W), weights with the groups in front where there are several.
struct ConvolutionShape {
  Dims source, weights, result, strides, dilations, pads;
  bool operator==(const ConvolutionShape& other) const;
};

class Convolution {
 public:
  // blobs: weights and, if it has one, bias. Reordered weights are kept until values change, with keep_weights, or for
  // this call alone. Throws dnnl::error where oneDNN has no such convolution.
  void Forward(const ConvolutionShape& shape, const vector<shared_ptr<Blob<float>>>& blobs,
               const Followers<float>& followers, bool keep_weights, SyncedMemory* source, SyncedMemory* result);
  // Adds to the diffs of blobs where asked; `source_diff` may be null.
  void Backward(const ConvolutionShape& shape, const vector<shared_ptr<Blob<float>>>& blobs, bool weights, bool bias,
                SyncedMemory* source, SyncedMemory* result_diff, SyncedMemory* source_diff);

 private:
  void CreateForward(const ConvolutionShape& shape, bool bias, bool gain, bool plain_source, bool relu, float slope);
  void PrepareChannels(const vector<shared_ptr<Blob<float>>>& blobs, const Followers<float>& followers);
  void PrepareWeights(Blob<float>* blob);
  Memory Weights(const vector<shared_ptr<Blob<float>>>& blobs, const Followers<float>& followers, bool keep);
  void CreateBackward(const ConvolutionShape& shape);

  ConvolutionShape shape_;
  bool bias_ = false, gain_ = false, plain_source_ = false, relu_ = false;
  float slope_ = 0;
  dnnl::convolution_forward::primitive_desc forward_desc_;
  dnnl::convolution_forward forward_;

  // Versions of what was made of the blobs: weights in the primitive's layout, null where that is the blob's own, bias
  // and, with norm or scale, gain of each channel.
  vector<uint64_t> prepared_;
  shared_ptr<Tensor> weights_;
  vector<float> biases_, gains_;

  ConvolutionShape backward_shape_;
  dnnl::convolution_backward_data::primitive_desc data_desc_;
  dnnl::convolution_backward_weights::primitive_desc weights_desc_;
  dnnl::convolution_backward_data data_;
  dnnl::convolution_backward_weights weights_gradient_;
};

}  // namespace caffe::onednn
