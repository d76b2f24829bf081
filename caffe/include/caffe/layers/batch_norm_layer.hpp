#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

namespace onednn {
class Normalization;
}
template <typename Dtype>
struct Followers;

// y = (x - mean) / sqrt(variance + eps) for every channel (axis 1) over all images and positions (Ioffe and Szegedy
// 2015); scale and shift are left to a Scale layer.
//
// use_global_stats (batch_norm_param; default: in TEST phase) takes the stored mean and variance; otherwise those of
// the batch are used and added to the stored ones with weight moving_average_fraction (0.999) for what is there.
// blobs(): sum of means (C), sum of variances (C), and the factor (1) that both have to be divided by; they are no
// learned parameters, so their lr_mult is 0. eps is 1e-5.
template <typename Dtype>
class BatchNormLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "BatchNorm"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }
  bool use_global_stats() const { return use_global_stats_; }

  // In place, with the statistics of the batch: Forward, and that of layers that follow in place on the same blob, as
  // one operation. False, and nothing done, where that cannot be.
  bool ForwardWith(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& bottom,
                   const vector<Blob<Dtype>*>& top);
  // Backward of all of them, after ForwardWith.
  void BackwardWith(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& top,
                    const vector<Blob<Dtype>*>& bottom);
  // The Forward of this layer alone that ForwardWith began with, for a Backward of this layer alone.
  void Repeat(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> mean_, variance_;  // of the last Forward
  Blob<Dtype> x_norm_;           // y of the last Forward: an in-place layer behind this one may have changed the top
  bool use_global_stats_ = false;
  Dtype moving_average_fraction_ = 0.999;
  int channels_ = 1;
  Dtype eps_ = 1e-5;

 private:
  void ComputeBatchStatistics(const Blob<Dtype>& bottom);
  void UpdateMovingAverages(int values_per_channel);
  // top = (bottom - mean_) / sqrt(variance_ + eps)
  void Normalize(const Blob<Dtype>& bottom, Blob<Dtype>* top);

  shared_ptr<onednn::Normalization> onednn_;
};

}  // namespace caffe
