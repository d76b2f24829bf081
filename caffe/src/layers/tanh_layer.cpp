#include "caffe/layers/tanh_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void TanHLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = std::tanh(x[i]); });
}

template <typename Dtype>
template <typename Where>
void TanHLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                  const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* y = Where::Data(top[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * (1 - y[i] * y[i]); });
}

CPU_AND_GPU(TanHLayer);
INSTANTIATE_CLASS(TanHLayer);
REGISTER_LAYER_CLASS(TanH);

}  // namespace caffe
