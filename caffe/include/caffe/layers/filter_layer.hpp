#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Passes on the images for which the selector, the last bottom (N values), is not 0: one top for each other bottom. The
// tops change their size with every batch: Reshape reads the selector's values, and only the first one (at set-up, when
// there are none yet) takes all images. No image at all is a top of size 0. Filtered-out images get the gradient 0.
template <typename Dtype>
class FilterLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Filter"; }
  int MinBottomBlobs() const override { return 2; }
  int MinTopBlobs() const override { return 1; }
  // There is no gradient by the selector; throws Error when one is asked for.
  bool AllowForceBackward(int bottom_index) const override {
    return bottom_index + 1 < this->layer_param_.bottom_size() || this->layer_param_.bottom_size() == 0;
  }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  bool first_reshape_ = true;
  vector<int> indices_to_forward_;
};

}  // namespace caffe
