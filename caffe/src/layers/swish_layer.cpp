#include "caffe/layers/swish_layer.hpp"

#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void SwishLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  NeuronLayer<Dtype>::Reshape(bottom, top);
  sigmoid_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void SwishLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype *y = top[0]->mutable_cpu_data(), *s = sigmoid_.mutable_cpu_data();
  const Dtype beta = this->layer_param_.swish_param().beta();
  ForEachElement(bottom[0]->count(), [=](int i) {
    s[i] = 1 / (1 + std::exp(-beta * x[i]));
    y[i] = x[i] * s[i];
  });
}

// dy/dx = s + beta x s (1 - s).
template <typename Dtype>
void SwishLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *y = top[0]->cpu_data(), *s = sigmoid_.cpu_data(), *dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const Dtype beta = this->layer_param_.swish_param().beta();
  ForEachElement(bottom[0]->count(), [=](int i) { dx[i] = dy[i] * (s[i] + beta * y[i] * (1 - s[i])); });
}

INSTANTIATE_CLASS(SwishLayer);
REGISTER_LAYER_CLASS(Swish);

}  // namespace caffe
