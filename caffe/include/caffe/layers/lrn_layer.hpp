#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

namespace onednn {
class Lrn;
}

// Local response normalization of (N, C, H, W) images, n = local_size (odd):
//   ACROSS_CHANNELS  y = x (k + alpha / n   * sum of x^2 over the n channels around) ^ -beta
//   WITHIN_CHANNEL   y = x (1 + alpha / n^2 * sum of x^2 over the n x n positions around) ^ -beta
// Beyond the borders x is 0 (Krizhevsky et al. 2012, with Caffe's division of alpha by the size of the region; k plays
// no role within a channel). Parameters (lrn_param): local_size (5), alpha (1), beta (0.75), k (1), norm_region.
// Not in place.
template <typename Dtype>
class LRNLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "LRN"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int size_ = 5;
  int pre_pad_ = 2;
  Dtype alpha_ = 1;
  Dtype beta_ = 0.75;
  Dtype k_ = 1;
  bool across_channels_ = true;
  int num_ = 0, channels_ = 0, height_ = 0, width_ = 0;
  // What is raised to -beta.
  Blob<Dtype> scale_;

 private:
  // sums[i] = offset + factor * sum of values over the region around i; `values` and `sums` hold all images.
  void SumRegions(const Dtype* values, Dtype factor, Dtype offset, Dtype* sums) const;
  void SumAcrossChannels(const Dtype* image, Dtype factor, int channel, Dtype* plane_sums) const;
  void SumWithinPlane(const Dtype* plane, Dtype factor, Dtype* plane_sums) const;
  // alpha over the size of the region.
  Dtype RegionAlpha() const { return alpha_ / (across_channels_ ? size_ : size_ * size_); }

  shared_ptr<onednn::Lrn> onednn_;
  Blob<Dtype> buffer_;  // x^2 forward, sums of y dy / scale backward
};

}  // namespace caffe
