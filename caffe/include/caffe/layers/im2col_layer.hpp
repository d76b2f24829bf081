#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// The columns that a Convolution would multiply with its weights: bottom (..., C, spatial axes) -> top (..., C * kernel
// positions, output's spatial axes). Parameters (convolution_param): kernel_size, stride, pad, dilation and axis as for
// Convolution; the others have no meaning here.
template <typename Dtype>
class Im2colLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Im2col"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  // One value for each spatial axis.
  Blob<int> kernel_shape_;
  Blob<int> stride_;
  Blob<int> pad_;
  Blob<int> dilation_;
  int num_spatial_axes_ = 0;
  int channel_axis_ = 1;
  int num_ = 0;  // images
  int channels_ = 0;
  int bottom_dim_ = 0;  // values of one image
  int top_dim_ = 0;
};

}  // namespace caffe
