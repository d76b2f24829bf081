#pragma once

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

// Cross entropy of the softmax of bottom 0 along `axis` (softmax_param, default 1) with the class numbers of bottom 1:
// loss = -sum over positions of log softmax(x)[label] / normalizer. Bottom 1 has one label for each position, that is
// outer * inner of them. A second top receives the probabilities.
// Parameters (loss_param): ignore_label: positions with this label count for nothing; normalization (VALID), normalize.
template <typename Dtype>
class SoftmaxWithLossLayer : public LossLayer<Dtype> {
 public:
  using LossLayer<Dtype>::LossLayer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "SoftmaxWithLoss"; }
  int ExactNumTopBlobs() const override { return -1; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  // What the sum of losses is divided by: LossLayer::Normalizer of this layer's predictions.
  virtual Dtype get_normalizer(LossParameter_NormalizationMode normalization_mode, int valid_count);

  shared_ptr<Layer<Dtype>> softmax_layer_;
  Blob<Dtype> prob_;
  // What the inner layer runs on: bottom 0 and prob_.
  vector<Blob<Dtype>*> softmax_bottom_vec_, softmax_top_vec_;
  LossParameter_NormalizationMode normalization_ = LossParameter_NormalizationMode_VALID;
  int softmax_axis_ = 1;
  int outer_num_ = 0;
  int inner_num_ = 0;

 private:
  Dtype normalizer_ = 1;  // of the last Forward
};

}  // namespace caffe
