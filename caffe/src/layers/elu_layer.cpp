#include "caffe/layers/elu_layer.hpp"

#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void ELULayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const Dtype alpha = this->layer_param_.elu_param().alpha();
  ForEachElement(bottom[0]->count(), [=](int i) { y[i] = x[i] > 0 ? x[i] : alpha * std::expm1(x[i]); });
}

template <typename Dtype>
void ELULayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *x = bottom[0]->cpu_data(), *y = top[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const Dtype alpha = this->layer_param_.elu_param().alpha();
  ForEachElement(bottom[0]->count(), [=](int i) { dx[i] = x[i] > 0 ? dy[i] : dy[i] * (y[i] + alpha); });
}

INSTANTIATE_CLASS(ELULayer);
REGISTER_LAYER_CLASS(ELU);

}  // namespace caffe
