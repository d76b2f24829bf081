#pragma once

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

// Loss of pairs of vectors a, b (bottoms 0 and 1, N each) that are alike (bottom 2 is not 0) or not (0):
// loss = 1 / (2 N) * sum of d^2 for those alike and max(margin - d, 0)^2 for the others, d = |a - b| (Hadsell et al.
// 2006). legacy_version (false) uses max(margin - d^2, 0), which was Caffe's first form. Parameters
// (contrastive_loss_param): margin (1), legacy_version.
template <typename Dtype>
class ContrastiveLossLayer : public LossLayer<Dtype> {
 public:
  using LossLayer<Dtype>::LossLayer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "ContrastiveLoss"; }
  int ExactNumBottomBlobs() const override { return 3; }
  bool AllowForceBackward(int bottom_index) const override { return bottom_index != 2; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> diff_;     // a - b of the last Forward
  Blob<Dtype> dist_sq_;  // d^2 of every pair
};

}  // namespace caffe
