#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// y = x * scale, and + bias with bias_term; scale is bottom 1 or, with one bottom, blobs()[0]. The blob's axes match
// those of bottom 0 from `axis` on (default 1): all that bottom 1 has, or num_axes of them (default 1; -1: all; 0: one
// single value) where it is a parameter. Parameters (scale_param): axis, num_axes, filler (1), bias_term (false),
// bias_filler (0). The bias, of the shape of the scale, is the last of blobs().
template <typename Dtype>
class ScaleLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Scale"; }
  int MinBottomBlobs() const override { return 1; }
  int MaxBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int axis_ = 1;
  int outer_dim_ = 0, scale_dim_ = 0, inner_dim_ = 0;  // x is (outer, scale, inner)
  bool bias_term_ = false;
  Blob<Dtype> temp_;  // x of the last Forward where the layer runs in place

 private:
  // Shape of the scale parameter for this bottom.
  vector<int> ParameterShape(const Blob<Dtype>& bottom) const;
};

}  // namespace caffe
