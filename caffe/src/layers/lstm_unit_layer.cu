#include "caffe/layers/lstm_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {
namespace gpu {

template <typename Dtype>
CAFFE_DEVICE Dtype Gate(Dtype x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace gpu

template <typename Dtype>
template <typename Where>
void LSTMUnitLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *c_prev = Where::Data(bottom[0]), *gates = Where::Data(bottom[1]), *cont = Where::Data(bottom[2]);
  Dtype *c = Where::MutableData(top[0]), *h = Where::MutableData(top[1]);
  Dtype *activations = Where::MutableData(&X_acts_), *tanh_c = Where::MutableData(&tanh_c_);
  const int dim = hidden_dim_;
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int n) {
    const int stream = n / dim, d = n % dim;
    const Dtype* a = gates + 4 * stream * dim;
    Dtype* act = activations + 4 * stream * dim;
    const Dtype i = act[d] = gpu::Gate(a[d]);
    const Dtype f = act[dim + d] = gpu::Gate(a[dim + d]);
    const Dtype o = act[2 * dim + d] = gpu::Gate(a[2 * dim + d]);
    const Dtype g = act[3 * dim + d] = std::tanh(a[3 * dim + d]);
    // What came before the beginning of a sequence may be anything, also no number.
    c[n] = (cont[stream] == 0 ? 0 : cont[stream] * f * c_prev[n]) + i * g;
    tanh_c[n] = std::tanh(c[n]);
    h[n] = o * tanh_c[n];
  });
}

template <typename Dtype>
template <typename Where>
void LSTMUnitLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[2]) << "LSTMUnit has no gradient by its continuation indicators";
  if (!propagate_down[0] && !propagate_down[1]) return;
  const Dtype *c_prev = Where::Data(bottom[0]), *cont = Where::Data(bottom[2]);
  const Dtype *dc = Where::Diff(top[0]), *dh = Where::Diff(top[1]);
  const Dtype *activations = Where::Data(&X_acts_), *tanh_c = Where::Data(&tanh_c_);
  Dtype* c_prev_diff = propagate_down[0] ? Where::MutableDiff(bottom[0]) : nullptr;
  Dtype* gate_diff = propagate_down[1] ? Where::MutableDiff(bottom[1]) : nullptr;
  const int dim = hidden_dim_;
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int n) {
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
  });
}

REGISTER_GPU_FORM(LSTMUnitLayer);

}  // namespace caffe
