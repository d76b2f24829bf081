#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Fraction of positions whose label (bottom 1) is among the top_k largest of bottom 0 along `axis`. A class that ties
// with the label's counts as ahead of it, so that equal scores are never correct by chance (top_k = 1). Without
// positions the accuracy is 0. A second top receives the accuracy of every class.
// Parameters (accuracy_param): top_k (1), axis (1), ignore_label: positions with this label count for nothing.
template <typename Dtype>
class AccuracyLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Accuracy"; }
  int ExactNumBottomBlobs() const override { return 2; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override { return 2; }
  bool AllowForceBackward(int bottom_index) const override { return bottom_index != 1; }

  FORMS_FOR_CPU_AND_GPU;  // there is no gradient; throws Error when one is asked for

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int label_axis_ = 1;
  int outer_num_ = 0;
  int inner_num_ = 0;
  int top_k_ = 1;
  bool has_ignore_label_ = false;
  int ignore_label_ = 0;
  // Of each position: 1 where its label is among the top_k.
  Blob<Dtype> hits_;
  // Positions of each class.
  Blob<Dtype> nums_buffer_;
};

}  // namespace caffe
