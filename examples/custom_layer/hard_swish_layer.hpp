#pragma once

#include <vector>

#include "caffe/layers/neuron_layer.hpp"

namespace custom {

// y = x min(max(x + 3, 0), 6) / 6, the activation of MobileNetV3 (Howard et al. 2019). In place only in the TEST phase:
// the gradient needs x.
template <typename Dtype>
class HardSwishLayer : public caffe::NeuronLayer<Dtype> {
 public:
  explicit HardSwishLayer(const caffe::LayerParameter& param) : caffe::NeuronLayer<Dtype>(param) {}
  const char* type() const override { return "HardSwish"; }

 protected:
  void Forward_cpu(const std::vector<caffe::Blob<Dtype>*>& bottom,
                   const std::vector<caffe::Blob<Dtype>*>& top) override;
  void Backward_cpu(const std::vector<caffe::Blob<Dtype>*>& top, const std::vector<bool>& propagate_down,
                    const std::vector<caffe::Blob<Dtype>*>& bottom) override;
};

}  // namespace custom
