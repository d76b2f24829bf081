#pragma once

#include <vector>

#include "caffe/layers/base_conv_layer.hpp"

namespace caffe {

// The transpose of a convolution: every bottom value adds its filter, times the value, to the top (upsampling for
// stride > 1). Along each spatial axis: output = stride (input - 1) + dilation (kernel - 1) + 1 - 2 pad.
// Weights are (bottom channels, num_output / group, kernel axes). Parameters: BaseConvolutionLayer.
template <typename Dtype>
class DeconvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  using BaseConvolutionLayer<Dtype>::BaseConvolutionLayer;
  const char* type() const override { return "Deconvolution"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  bool reverse_dimensions() override { return true; }
  void compute_output_shape() override;
};

}  // namespace caffe
