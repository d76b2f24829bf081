#include "caffe/layers/elu_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void ELULayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  const Dtype alpha = this->layer_param_.elu_param().alpha();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = x[i] > 0 ? x[i] : alpha * std::expm1(x[i]); });
}

template <typename Dtype>
template <typename Where>
void ELULayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                 const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *x = Where::Data(bottom[0]), *y = Where::Data(top[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const Dtype alpha = this->layer_param_.elu_param().alpha();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = x[i] > 0 ? dy[i] : dy[i] * (y[i] + alpha); });
}

CPU_AND_GPU(ELULayer);
INSTANTIATE_CLASS(ELULayer);
REGISTER_LAYER_CLASS(ELU);

}  // namespace caffe
