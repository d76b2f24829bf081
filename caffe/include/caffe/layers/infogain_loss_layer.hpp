#pragma once

#include <vector>

#include "caffe/layers/loss_layer.hpp"

namespace caffe {

// Cross entropy in which every true class l weighs every class k with the infogain matrix H (K x K):
// loss = -sum over positions and k of H[l, k] log softmax(x)[k] / normalizer; the identity gives SoftmaxWithLoss. x is
// bottom 0, with the K classes along `axis` (1); bottom 1 has one label for each position; H is bottom 2 or, with two
// bottoms, the BlobProto in the file `source` (infogain_loss_param). A second top receives the probabilities.
// Parameters (loss_param): ignore_label: positions with this label count for nothing; normalization (VALID).
template <typename Dtype>
class InfogainLossLayer : public LossLayer<Dtype> {
 public:
  using LossLayer<Dtype>::LossLayer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "InfogainLoss"; }
  int ExactNumBottomBlobs() const override { return -1; }
  int MinBottomBlobs() const override { return 2; }
  int MaxBottomBlobs() const override { return 3; }
  int ExactNumTopBlobs() const override { return -1; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }
  bool AllowForceBackward(int bottom_index) const override { return bottom_index == 0; }

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
  Blob<Dtype> infogain_;    // H where it comes from a file
  Blob<Dtype> sum_rows_H_;  // sums of the rows of H
  LossParameter_NormalizationMode normalization_ = LossParameter_NormalizationMode_VALID;
  int infogain_axis_ = 1;
  int outer_num_ = 0, inner_num_ = 0;
  int num_labels_ = 0;

 private:
  Dtype normalizer_ = 1;  // of the last Forward
};

}  // namespace caffe
