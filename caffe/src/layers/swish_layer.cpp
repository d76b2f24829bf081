#include "caffe/layers/swish_layer.hpp"

#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void SwishLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0] != top[0]) << "Swish cannot run in place: give bottom and top different names";
  NeuronLayer<Dtype>::Reshape(bottom, top);
}

template <typename Dtype>
void SwishLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const Dtype beta = this->layer_param_.swish_param().beta();
  ForEachElement(bottom[0]->count(), [=](int i) { y[i] = x[i] / (1 + std::exp(-beta * x[i])); });
}

template <typename Dtype>
void SwishLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* x = bottom[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const Dtype beta = this->layer_param_.swish_param().beta();
  ForEachElement(bottom[0]->count(), [=](int i) {
    const Dtype s = 1 / (1 + std::exp(-beta * x[i]));
    dx[i] = dy[i] * s * (1 + beta * x[i] * (1 - s));
  });
}

INSTANTIATE_CLASS(SwishLayer);
REGISTER_LAYER_CLASS(Swish);

}  // namespace caffe
