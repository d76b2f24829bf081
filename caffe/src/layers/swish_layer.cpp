#include "caffe/layers/swish_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void SwishLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  NeuronLayer<Dtype>::Reshape(bottom, top);
  sigmoid_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
template <typename Where>
void SwishLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype *y = Where::MutableData(top[0]), *s = Where::MutableData(&sigmoid_);
  const Dtype beta = this->layer_param_.swish_param().beta();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    s[i] = 1 / (1 + std::exp(-beta * x[i]));
    y[i] = x[i] * s[i];
  });
}

// dy/dx = s + beta x s (1 - s).
template <typename Dtype>
template <typename Where>
void SwishLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *y = Where::Data(top[0]), *s = Where::Data(&sigmoid_), *dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const Dtype beta = this->layer_param_.swish_param().beta();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * (s[i] + beta * y[i] * (1 - s[i])); });
}

CPU_AND_GPU(SwishLayer);
INSTANTIATE_CLASS(SwishLayer);
REGISTER_LAYER_CLASS(Swish);

}  // namespace caffe
