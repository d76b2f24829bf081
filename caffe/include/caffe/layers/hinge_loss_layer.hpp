#pragma once

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

// One-against-all hinge loss of scores (N, K ...) against N class numbers: with t = 1 for the label's class and -1 for
// the others, the sum of max(0, 1 - t score) over all values, or of its square for norm: L2 (hinge_loss_param), over N.
template <typename Dtype>
class HingeLossLayer : public LossLayer<Dtype> {
 public:
  using LossLayer<Dtype>::LossLayer;

  const char* type() const override { return "HingeLoss"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  bool SquaredNorm() const;

  Blob<Dtype> margin_;  // max(0, 1 - t score) for every score of the last Forward
};

}  // namespace caffe
