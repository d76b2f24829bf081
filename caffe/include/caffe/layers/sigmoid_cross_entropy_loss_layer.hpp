#pragma once

#include <vector>

#include "caffe/layers/loss_layer.hpp"
#include "caffe/layers/sigmoid_layer.hpp"

namespace caffe {

// Cross entropy of independent probabilities p = sigmoid(x) (bottom 0) with targets t in [0, 1] (bottom 1, as many):
// loss = -sum of (t log p + (1 - t) log(1 - p)) / normalizer, computed without overflow for any x.
// Parameters (loss_param): ignore_label: values with this target count for nothing; normalization (BATCH_SIZE),
// normalize.
template <typename Dtype>
class SigmoidCrossEntropyLossLayer : public LossLayer<Dtype> {
 public:
  using LossLayer<Dtype>::LossLayer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "SigmoidCrossEntropyLoss"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  // What the sum of losses is divided by: LossLayer::Normalizer of this layer's predictions.
  virtual Dtype get_normalizer(LossParameter_NormalizationMode normalization_mode, int valid_count);

  shared_ptr<SigmoidLayer<Dtype>> sigmoid_layer_;
  shared_ptr<Blob<Dtype>> sigmoid_output_;
  // What the inner layer runs on: bottom 0 and sigmoid_output_.
  vector<Blob<Dtype>*> sigmoid_bottom_vec_, sigmoid_top_vec_;
  LossParameter_NormalizationMode normalization_ = LossParameter_NormalizationMode_BATCH_SIZE;
  Dtype normalizer_ = 1;  // of the last Forward
  int outer_num_ = 0, inner_num_ = 0;
};

}  // namespace caffe
