// Base of layers that compare a prediction (bottom 0) with a target (bottom 1) and give one number.
#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Smallest argument that the losses pass to log().
constexpr float kLOG_THRESHOLD = 1e-20f;

// The first top is the loss, a blob without axes; its weight in the objective is 1 unless loss_weight says otherwise.
template <typename Dtype>
class LossLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  // Loss weights, and the label to ignore.
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  // Checks that prediction and target have the same first dimension.
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  int ExactNumBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }
  bool AutoTopBlobs() const override { return true; }
  bool AllowForceBackward(int bottom_index) const override { return bottom_index != 1; }

 protected:
  // The mode that loss_param asks for: its `normalization`; else, with the older `normalize`, VALID or BATCH_SIZE;
  // else `otherwise`.
  LossParameter_NormalizationMode Normalization(LossParameter_NormalizationMode otherwise) const;
  // What the summed loss is divided by, at least 1: FULL all outer * inner predictions, VALID those whose label is not
  // ignored (`valid`; below 0: all of them), BATCH_SIZE outer, NONE 1.
  static Dtype Normalizer(LossParameter_NormalizationMode mode, int outer, int inner, int valid);
  // Throws Error when a gradient is asked of the target.
  void RequireNoTargetGradient(const vector<bool>& propagate_down) const;
  // The label as a number of a class; throws Error unless it is in [0, classes).
  static int ClassOf(Dtype label, int classes);
  // How many of the labels are not ignored; throws Error unless these are in [0, classes).
  int CountLabels(const Blob<Dtype>& labels, int classes) const;
  // Throws Error unless bottom 1 has `count` labels, one for each position of the predictions in bottom 0.
  static void RequireLabels(const vector<Blob<Dtype>*>& bottom, int count);
  // Whether loss_param says that this label counts for nothing.
  bool Ignored(Dtype label) const { return has_ignore_label_ && static_cast<int>(label) == ignore_label_; }

  bool has_ignore_label_ = false;
  int ignore_label_ = 0;
};

}  // namespace caffe
