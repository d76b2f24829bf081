#pragma once

#include <vector>

#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

// In TRAIN phase every value is dropped (0) with probability dropout_ratio (dropout_param, default 0.5, in [0, 1)), and
// those kept are divided by 1 - dropout_ratio, so that the expectation stays; in TEST phase y = x.
template <typename Dtype>
class DropoutLayer : public NeuronLayer<Dtype> {
 public:
  using NeuronLayer<Dtype>::NeuronLayer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  const char* type() const override { return "Dropout"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  // 1 for each value kept by the last Forward.
  Blob<unsigned int> rand_vec_;
  Dtype threshold_ = 0.5;  // the probability of being dropped
  Dtype scale_ = 2;
};

}  // namespace caffe
