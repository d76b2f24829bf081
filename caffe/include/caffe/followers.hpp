// Layers that run as one with the in-place layers behind them.
#pragma once

#include <vector>

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
  bool none() const { return !norm && !scale && !relu; }
  Dtype negative_slope() const { return relu ? relu->layer_param().relu_param().negative_slope() : 0; }

  // What norm and scale make of a channel: gain * x + shift.
  struct ChannelMap {
    double gain = 1;
    double shift = 0;
  };
  vector<ChannelMap> ChannelMaps(int channels) const;
};

}  // namespace caffe
