#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Cuts the bottom along `axis` (slice_param, default 1; the older field is slice_dim) into as many parts as there are
// tops: before each slice_point, which are increasing, or into equal parts. One top receives the bottom without a copy.
template <typename Dtype>
class SliceLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Slice"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int MinTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int num_slices_ = 0;  // product of the axes before
  int slice_size_ = 0;  // product of the axes behind
  int slice_axis_ = 1;
};

}  // namespace caffe
