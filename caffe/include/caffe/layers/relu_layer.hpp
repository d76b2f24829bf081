#pragma once

#include <vector>

#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

// y = x for x > 0, else negative_slope * x (relu_param, default 0, must be at least 0 to run in place).
template <typename Dtype>
class ReLULayer : public NeuronLayer<Dtype> {
 public:
  using NeuronLayer<Dtype>::NeuronLayer;
  const char* type() const override { return "ReLU"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe
