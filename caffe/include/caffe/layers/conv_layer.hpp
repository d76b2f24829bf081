#pragma once

#include <vector>

#include "caffe/layers/base_conv_layer.hpp"

namespace caffe {

namespace onednn {
class Convolution;
struct ConvolutionShape;
}  // namespace onednn
template <typename Dtype>
struct Followers;

// Convolution (cross-correlation) of every image with num_output filters: by oneDNN for float and two spatial axes,
// else as im2col and a matrix product. Along each spatial axis: output = (input + 2 pad - (dilation (kernel - 1) + 1))
// / stride + 1, rounded down. Parameters and blobs: BaseConvolutionLayer.
template <typename Dtype>
class ConvolutionLayer : public BaseConvolutionLayer<Dtype> {
 public:
  using BaseConvolutionLayer<Dtype>::BaseConvolutionLayer;
  const char* type() const override { return "Convolution"; }

  // Forward, and that of layers that follow it in place on its one top, as one operation. False, and nothing done,
  // where that cannot be, as in a derived class that does not define it. The followers have no state of this Forward:
  // before their Backward, all must run by themselves.
  virtual bool ForwardWith(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& bottom,
                           const vector<Blob<Dtype>*>& top);

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
  bool reverse_dimensions() override { return false; }
  void compute_output_shape() override;

 private:
  // Whether this is a convolution for oneDNN, and its shape as oneDNN has it.
  bool OnednnShape(onednn::ConvolutionShape* shape) const;
  // compute(convolution, shape) by oneDNN; false, and nothing done, where that has no such convolution.
  template <typename Compute>
  bool ByOnednn(Compute compute);
  bool ForwardByOnednn(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& bottom,
                       const vector<Blob<Dtype>*>& top);

  shared_ptr<onednn::Convolution> onednn_;
};

}  // namespace caffe
