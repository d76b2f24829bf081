// Layers that run as one with the in-place layers behind them.
#pragma once

#include "caffe/layers/batch_norm_layer.hpp"
#include "caffe/layers/relu_layer.hpp"
#include "caffe/layers/scale_layer.hpp"

namespace caffe {

// What follows a Convolution, or a BatchNorm that normalises by the batch, in place: each of these or not, in this
// order.
template <typename Dtype>
struct Followers {
  BatchNormLayer<Dtype>* norm = nullptr;  // with stored statistics
  ScaleLayer<Dtype>* scale = nullptr;     // of channels
  ReLULayer<Dtype>* relu = nullptr;

  // Takes the layer that comes next; false, and nothing done, where it is no such layer or not in its place.
  bool Add(Layer<Dtype>* layer);
  Dtype negative_slope() const { return relu ? relu->layer_param().relu_param().negative_slope() : 0; }
};

}  // namespace caffe
