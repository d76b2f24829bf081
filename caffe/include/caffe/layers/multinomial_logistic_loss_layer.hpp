#pragma once

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

// loss = -sum of log p[label] / N for N predictions of probabilities (N, K ...) and N class numbers. Probabilities
// below kLOG_THRESHOLD count as that. SoftmaxWithLoss does the same for scores, and is stable.
template <typename Dtype>
class MultinomialLogisticLossLayer : public LossLayer<Dtype> {
 public:
  using LossLayer<Dtype>::LossLayer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "MultinomialLogisticLoss"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe
