#pragma once

#include <vector>

#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

// y = x for x > 0, else a x, with a slope a for every channel (axis 1) that is learned (He et al. 2015).
// Parameters (prelu_param): filler (constant 0.25); channel_shared (false): one slope for all channels.
// blobs()[0]: the slopes (C), or with channel_shared a single value without axes.
template <typename Dtype>
class PReLULayer : public NeuronLayer<Dtype> {
 public:
  using NeuronLayer<Dtype>::NeuronLayer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "PReLU"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  bool channel_shared_ = false;
  Blob<Dtype> bottom_memory_;  // x of the last Forward where the layer runs in place
};

}  // namespace caffe
