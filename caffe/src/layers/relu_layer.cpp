#include "caffe/layers/relu_layer.hpp"

#include <type_traits>

#include "../util/onednn.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {
namespace {

// to = from where x > 0, slope * from elsewhere.
template <typename Dtype>
void Rectify(int count, const Dtype* x, const Dtype* from, Dtype slope, Dtype* to) {
  ForEachElement(count, [=](int i) { to[i] = x[i] > 0 ? from[i] : slope * from[i]; });
}

}  // namespace

template <typename Dtype>
void ReLULayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype slope = this->layer_param_.relu_param().negative_slope();
  if constexpr (std::is_same_v<Dtype, float>) {
    if (const onednn::Tensor* in = onednn::Foreign(*bottom[0]->data(), bottom[0]->shape())) {
      onednn::Output out(top[0]->data().get(), in->desc());
      const float* x = in->values();
      float* y = out.values();
      Rectify(in->count(), x, x, slope, y);
      out.Publish();
      return;
    }
  }
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  Rectify(bottom[0]->count(), x, x, slope, y);
}

template <typename Dtype>
void ReLULayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype slope = this->layer_param_.relu_param().negative_slope();
  if constexpr (std::is_same_v<Dtype, float>) {
    if (const onednn::Tensor* in = onednn::Foreign(*bottom[0]->data(), bottom[0]->shape())) {
      const onednn::Memory given = onednn::Read(top[0]->diff().get(), in->desc().dims());
      const onednn::Memory gradient = onednn::Reordered(given, in->desc(), onednn::kResult);
      onednn::Output out(bottom[0]->diff().get(), in->desc());
      const float *x = in->values(), *dy = static_cast<const float*>(gradient.get_data_handle());
      float* dx = out.values();
      Rectify(in->count(), x, dy, slope, dx);
      out.Publish();
      return;
    }
  }
  const Dtype* x = bottom[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  Rectify(bottom[0]->count(), x, dy, slope, dx);
}

INSTANTIATE_CLASS(ReLULayer);
REGISTER_LAYER_CLASS(ReLU);

}  // namespace caffe
