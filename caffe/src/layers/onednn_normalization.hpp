// BatchNorm by the statistics of the batch, with the Scale and the ReLU behind it, by oneDNN.
#pragma once

#include <vector>

#include "../util/onednn.hpp"
#include "caffe/followers.hpp"

namespace caffe::onednn {

// Of (N, C, H, W) images in a foreign layout. With m, v the mean and variance of a channel:
// y = scale (x - m) / sqrt(v + eps) + shift, and its positive part with ReLU.
class Normalization {
 public:
  // Writes mean and variance too. False, and nothing done, where x is in no foreign layout.
  bool Forward(const Followers<float>& followers, float eps, const vector<int>& shape, SyncedMemory* x, float* mean,
               float* variance, SyncedMemory* y);
  // x of the last Forward, which is kept: in place y takes its blob.
  const shared_ptr<Tensor>& x() const { return x_; }
  // Of the last Forward, with its mean and variance. Adds to the diffs of the followers' blobs where they want it.
  void Backward(const Followers<float>& followers, float* mean, float* variance, SyncedMemory* y_diff,
                SyncedMemory* x_diff);

 private:
  void Create(const Desc& x, dnnl::normalization_flags flags, float eps);

  Desc x_desc_;
  dnnl::normalization_flags flags_ = dnnl::normalization_flags::none;
  dnnl::batch_normalization_forward forward_;
  dnnl::batch_normalization_backward backward_;
  Memory workspace_;  // where ReLU let values through
  shared_ptr<Tensor> x_;
};

}  // namespace caffe::onednn
