#include "caffe/layers/power_layer.hpp"

#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void PowerLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const PowerParameter& param = this->layer_param_.power_param();
  const Dtype power = param.power(), scale = param.scale(), shift = param.shift();
  ForEachElement(bottom[0]->count(),
                 [=](int i) { y[i] = power == 1 ? shift + scale * x[i] : std::pow(shift + scale * x[i], power); });
}

template <typename Dtype>
void PowerLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* x = bottom[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const PowerParameter& param = this->layer_param_.power_param();
  const Dtype power = param.power(), scale = param.scale(), shift = param.shift();
  const Dtype slope = power * scale;
  // A constant has the gradient 0, also where 0 ^ -1 would come in.
  if (power == 1 || slope == 0) {
    ForEachElement(bottom[0]->count(), [=](int i) { dx[i] = dy[i] * slope; });
    return;
  }
  CAFFE_REQUIRE(bottom[0] != top[0])
      << "Power has no gradient in place unless power is 1: give bottom and top different names";
  ForEachElement(bottom[0]->count(), [=](int i) { dx[i] = dy[i] * slope * std::pow(shift + scale * x[i], power - 1); });
}

INSTANTIATE_CLASS(PowerLayer);
REGISTER_LAYER_CLASS(Power);

}  // namespace caffe
