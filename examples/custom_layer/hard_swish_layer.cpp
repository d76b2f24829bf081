#include "hard_swish_layer.hpp"

#include <algorithm>

namespace custom {

template <typename Dtype>
void HardSwishLayer<Dtype>::Forward_cpu(const std::vector<caffe::Blob<Dtype>*>& bottom,
                                        const std::vector<caffe::Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  for (int i = 0; i < bottom[0]->count(); ++i) {
    y[i] = x[i] * std::clamp(x[i] + 3, Dtype(0), Dtype(6)) / 6;
  }
}

template <typename Dtype>
void HardSwishLayer<Dtype>::Backward_cpu(const std::vector<caffe::Blob<Dtype>*>& top,
                                         const std::vector<bool>& propagate_down,
                                         const std::vector<caffe::Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  CHECK(bottom[0] != top[0]) << "HardSwish cannot train in place: its gradient needs its input";
  const Dtype* x = bottom[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  for (int i = 0; i < bottom[0]->count(); ++i) {
    const Dtype slope = x[i] <= -3 ? 0 : x[i] >= 3 ? 1 : (2 * x[i] + 3) / 6;
    dx[i] = dy[i] * slope;
  }
}

INSTANTIATE_CLASS(HardSwishLayer);
REGISTER_LAYER_CLASS(HardSwish);

}  // namespace custom
