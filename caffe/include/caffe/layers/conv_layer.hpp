#pragma once

#include <vector>

#include "caffe/layers/base_conv_layer.hpp"

namespace caffe {

// Convolution (cross-correlation) of every image with num_output filters, as im2col and a matrix product. Along each
// spatial axis: output = (input + 2 pad - (dilation (kernel - 1) + 1)) / stride + 1, rounded down.
// Parameters and blobs: BaseConvolutionLayer.
template <typename Dtype>
class ConvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  using BaseConvolutionLayer<Dtype>::BaseConvolutionLayer;
  const char* type() const override { return "Convolution"; }

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  bool reverse_dimensions() override { return false; }
  void compute_output_shape() override;
};

}  // namespace caffe
