#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// Joins bottoms along `axis` (concat_param, default 1; the older field is concat_dim); all other axes must agree. One
// bottom is passed on without a copy.
template <typename Dtype>
class ConcatLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Concat"; }
  int MinBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int num_concats_ = 0;        // product of the axes before
  int concat_input_size_ = 0;  // product of the axes behind
  int concat_axis_ = 1;
};

}  // namespace caffe
