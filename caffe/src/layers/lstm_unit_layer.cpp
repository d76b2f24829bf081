#include "caffe/layers/lstm_layer.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {
namespace {

template <typename Dtype>
Dtype Sigmoid(Dtype x) {
  return 1 / (1 + std::exp(-x));
}

// Work of one value against that of an addition: five exponentials.
constexpr int kUnitWork = 50;

}  // namespace

template <typename Dtype>
void LSTMUnitLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() == 3 && bottom[0]->shape(0) == 1)
      << "cells of shape " << bottom[0]->shape_string() << ", expected (1, streams, values)";
  const int streams = bottom[0]->shape(1);
  hidden_dim_ = bottom[0]->shape(2);
  CAFFE_REQUIRE(hidden_dim_ <= INT_MAX / 4) << "cells of " << hidden_dim_ << " values are too large";
  CAFFE_REQUIRE(bottom[1]->shape() == (vector<int>{1, streams, 4 * hidden_dim_}))
      << "gates of shape " << bottom[1]->shape_string() << ", expected 1x" << streams << "x" << 4 * hidden_dim_;
  CAFFE_REQUIRE(bottom[2]->shape() == (vector<int>{1, streams}))
      << "continuation indicators of shape " << bottom[2]->shape_string() << ", expected 1x" << streams;
  top[0]->ReshapeLike(*bottom[0]);
  top[1]->ReshapeLike(*bottom[0]);
  X_acts_.ReshapeLike(*bottom[1]);
  tanh_c_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void LSTMUnitLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *c_prev = bottom[0]->cpu_data(), *gates = bottom[1]->cpu_data(), *cont = bottom[2]->cpu_data();
  Dtype *c = top[0]->mutable_cpu_data(), *h = top[1]->mutable_cpu_data();
  Dtype *activations = X_acts_.mutable_cpu_data(), *tanh_c = tanh_c_.mutable_cpu_data();
  const int dim = hidden_dim_;
  ForEachTask(bottom[0]->shape(1), kUnitWork * dim, [&](int stream) {
    const Dtype* a = gates + 4 * stream * dim;
    Dtype* act = activations + 4 * stream * dim;
    for (int d = 0; d < dim; ++d) {
      const int n = stream * dim + d;
      const Dtype i = act[d] = Sigmoid(a[d]);
      const Dtype f = act[dim + d] = Sigmoid(a[dim + d]);
      const Dtype o = act[2 * dim + d] = Sigmoid(a[2 * dim + d]);
      const Dtype g = act[3 * dim + d] = std::tanh(a[3 * dim + d]);
      // What came before the beginning of a sequence may be anything, also no number.
      c[n] = (cont[stream] == 0 ? 0 : cont[stream] * f * c_prev[n]) + i * g;
      tanh_c[n] = std::tanh(c[n]);
      h[n] = o * tanh_c[n];
    }
  });
}

template <typename Dtype>
void LSTMUnitLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                        const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[2]) << "LSTMUnit has no gradient by its continuation indicators";
  if (!propagate_down[0] && !propagate_down[1]) {
    return;
  }
  const Dtype *c_prev = bottom[0]->cpu_data(), *cont = bottom[2]->cpu_data();
  const Dtype *dc = top[0]->cpu_diff(), *dh = top[1]->cpu_diff();
  const Dtype *activations = X_acts_.cpu_data(), *tanh_c = tanh_c_.cpu_data();
  Dtype* c_prev_diff = propagate_down[0] ? bottom[0]->mutable_cpu_diff() : nullptr;
  Dtype* gate_diff = propagate_down[1] ? bottom[1]->mutable_cpu_diff() : nullptr;
  const int dim = hidden_dim_;
  ForEachTask(bottom[0]->shape(1), kUnitWork * dim, [&](int stream) {
    const Dtype* act = activations + 4 * stream * dim;
    for (int d = 0; d < dim; ++d) {
      const int n = stream * dim + d;
      const Dtype i = act[d], f = act[dim + d], o = act[2 * dim + d], g = act[3 * dim + d];
      const Dtype cell = dc[n] + dh[n] * o * (1 - tanh_c[n] * tanh_c[n]);
      const Dtype before = cont[stream] == 0 ? 0 : cont[stream] * c_prev[n];
      if (c_prev_diff) {
        c_prev_diff[n] = cell * cont[stream] * f;
      }
      if (gate_diff) {
        Dtype* da = gate_diff + 4 * stream * dim;
        da[d] = cell * g * i * (1 - i);
        da[dim + d] = cell * before * f * (1 - f);
        da[2 * dim + d] = dh[n] * tanh_c[n] * o * (1 - o);
        da[3 * dim + d] = cell * i * (1 - g * g);
      }
    }
  });
}

INSTANTIATE_CLASS(LSTMUnitLayer);
REGISTER_LAYER_CLASS(LSTMUnit);

}  // namespace caffe
