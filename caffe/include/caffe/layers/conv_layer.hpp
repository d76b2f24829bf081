#pragma once

#include <vector>

#include "caffe/layers/base_conv_layer.hpp"

namespace caffe {

namespace onednn {
class Convolution;
struct ConvolutionShape;
}  // namespace onednn

// Convolution (cross-correlation) of every image with num_output filters: by oneDNN for float and two spatial axes,
// else as im2col and a matrix product. Along each spatial axis: output = (input + 2 pad - (dilation (kernel - 1) + 1))
// / stride + 1, rounded down. Parameters and blobs: BaseConvolutionLayer.
template <typename Dtype>
class ConvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  using BaseConvolutionLayer<Dtype>::BaseConvolutionLayer;
  const char* type() const override { return "Convolution"; }

  // Forward, and that of layers that follow it in place on its one top, as one operation: BatchNorm with stored
  // statistics, Scale of channels and ReLU, in this order, each of them or not. False, and nothing done, where they
  // are others. The followers have no state of this Forward: before their Backward, all must run by themselves.
  bool ForwardWith(const vector<Layer<Dtype>*>& followers, const vector<Blob<Dtype>*>& bottom,
                   const vector<Blob<Dtype>*>& top);

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  bool reverse_dimensions() override { return false; }
  void compute_output_shape() override;

 private:
  // Whether oneDNN computes this shape, and the shape as it has it.
  bool OnednnShape(onednn::ConvolutionShape* shape) const;

  shared_ptr<onednn::Convolution> onednn_;
};

}  // namespace caffe
