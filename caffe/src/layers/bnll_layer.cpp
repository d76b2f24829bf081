#include "caffe/layers/bnll_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void BNLLLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  Where::ForEach(bottom[0]->count(),
                 [=] CAFFE_DEVICE(int i) { y[i] = std::max(x[i], Dtype(0)) + std::log1p(std::exp(-std::abs(x[i]))); });
}

template <typename Dtype>
template <typename Where>
void BNLLLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                  const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* y = Where::Data(top[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = -dy[i] * std::expm1(-y[i]); });
}

CPU_AND_GPU(BNLLLayer);
INSTANTIATE_CLASS(BNLLLayer);
REGISTER_LAYER_CLASS(BNLL);

}  // namespace caffe
