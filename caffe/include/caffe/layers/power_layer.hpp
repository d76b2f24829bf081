#pragma once

#include <vector>

#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

// y = (shift + scale x) ^ power (power_param: 1, 1, 0). In place there is a gradient only for power 1.
template <typename Dtype>
class PowerLayer : public NeuronLayer<Dtype> {
 public:
  using NeuronLayer<Dtype>::NeuronLayer;
  const char* type() const override { return "Power"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;
};

}  // namespace caffe
