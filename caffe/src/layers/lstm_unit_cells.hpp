// One step of the cells of an LSTM, for each value n of (streams, values): the same on CPU and GPU.
#pragma once

#include <cmath>

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
struct LstmForward {
  int dim;  // values of a stream
  const Dtype *c_prev, *gates, *cont;
  Dtype *c, *h, *activations, *tanh_c;

  CAFFE_DEVICE static Dtype Sigmoid(Dtype x) { return 1 / (1 + std::exp(-x)); }

  CAFFE_DEVICE void operator()(int n) const {
    const int stream = n / dim, d = n % dim;
    const Dtype* a = gates + 4 * stream * dim;
    Dtype* act = activations + 4 * stream * dim;
    const Dtype i = act[d] = Sigmoid(a[d]);
    const Dtype f = act[dim + d] = Sigmoid(a[dim + d]);
    const Dtype o = act[2 * dim + d] = Sigmoid(a[2 * dim + d]);
    const Dtype g = act[3 * dim + d] = std::tanh(a[3 * dim + d]);
    // What came before the beginning of a sequence may be anything, also no number.
    c[n] = (cont[stream] == 0 ? 0 : cont[stream] * f * c_prev[n]) + i * g;
    tanh_c[n] = std::tanh(c[n]);
    h[n] = o * tanh_c[n];
  }
};

template <typename Dtype>
struct LstmBackward {
  int dim;
  const Dtype *c_prev, *cont, *dc, *dh, *activations, *tanh_c;
  Dtype *c_prev_diff, *gate_diff;  // either may be null

  CAFFE_DEVICE void operator()(int n) const {
    const int stream = n / dim, d = n % dim;
    const Dtype* act = activations + 4 * stream * dim;
    const Dtype i = act[d], f = act[dim + d], o = act[2 * dim + d], g = act[3 * dim + d];
    const Dtype cell = dc[n] + dh[n] * o * (1 - tanh_c[n] * tanh_c[n]);
    const Dtype before = cont[stream] == 0 ? 0 : cont[stream] * c_prev[n];
    if (c_prev_diff) c_prev_diff[n] = cell * cont[stream] * f;
    if (gate_diff) {
      Dtype* da = gate_diff + 4 * stream * dim;
      da[d] = cell * g * i * (1 - i);
      da[dim + d] = cell * before * f * (1 - f);
      da[2 * dim + d] = dh[n] * tanh_c[n] * o * (1 - o);
      da[3 * dim + d] = cell * i * (1 - g * g);
    }
  }
};

}  // namespace caffe
