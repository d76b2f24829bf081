#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Mean-variance normalization of every image: y = x - mean or, with normalize_variance (true), (x - mean) / (deviation
// + eps). Mean and deviation are those of each channel, or with across_channels (false) of the whole image. Parameters
// (mvn_param): normalize_variance, across_channels, eps (1e-9).
template <typename Dtype>
class MVNLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "MVN"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<Dtype> mean_, variance_;  // of each normalized part
  Dtype eps_ = 1e-9;

 private:
  int parts_ = 0;
  int part_size_ = 0;
};

}  // namespace caffe
