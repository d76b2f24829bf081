#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

// y = exp(x) / sum of exp(x) along `axis` (softmax_param, default 1). The largest x is subtracted first, so nothing
// overflows. May run in place.
template <typename Dtype>
class SoftmaxLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Softmax"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int ExactNumTopBlobs() const override { return 1; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int outer_num_ = 0;
  int inner_num_ = 0;
  int softmax_axis_ = 1;
};

}  // namespace caffe
