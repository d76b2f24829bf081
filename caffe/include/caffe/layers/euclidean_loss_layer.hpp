#pragma once

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

// loss = sum of (a - b)^2 / (2 N) over all values of two bottoms of N images. Either bottom, or both, may be learned.
template <typename Dtype>
class EuclideanLossLayer : public LossLayer<Dtype> {
 public:
  using LossLayer<Dtype>::LossLayer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "EuclideanLoss"; }
  bool AllowForceBackward(int bottom_index) const override { return true; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> diff_;  // a - b of the last Forward
};

}  // namespace caffe
