#include "caffe/layers/relu_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void ReLULayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype slope = this->layer_param_.relu_param().negative_slope();
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = x[i] > 0 ? x[i] : slope * x[i]; });
}

template <typename Dtype>
template <typename Where>
void ReLULayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                  const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const Dtype slope = this->layer_param_.relu_param().negative_slope();
  const Dtype *x = Where::Data(bottom[0]), *dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = x[i] > 0 ? dy[i] : slope * dy[i]; });
}

REGISTER_GPU_FORM(ReLULayer);

}  // namespace caffe
