#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Cuts bottom 0 to the size of bottom 1 along all axes from `axis` on (default 2; crop_param). The cut begins at
// `offset`: none given is 0, one value is for all these axes, else one for each. Bottom 1 lends its shape alone; its
// gradient is 0.
template <typename Dtype>
class CropLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Crop"; }
  int ExactNumBottomBlobs() const override { return 2; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  Blob<int> offsets;  // one for every axis of bottom 0, 0 for those that are not cut

 private:
  // copy(offset in the bottom, offset in the top, count) for every run of neighbouring values that is kept.
  template <typename Copy>
  void ForEachRun(const Blob<Dtype>& bottom, const Blob<Dtype>& top, Copy copy) const;
};

}  // namespace caffe
