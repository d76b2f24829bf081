#pragma once

#include <vector>

#include "caffe/layers/neuron_layer.hpp"

namespace caffe {

// y = base ^ (shift + scale x) (exp_param: base -1, which is e; scale 1; shift 0).
template <typename Dtype>
class ExpLayer : public NeuronLayer<Dtype> {
 public:
  using NeuronLayer<Dtype>::NeuronLayer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  const char* type() const override { return "Exp"; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

 private:
  Dtype ln_base_ = 1;
};

}  // namespace caffe
