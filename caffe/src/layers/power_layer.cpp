#include "caffe/layers/power_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void PowerLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  const PowerParameter& param = this->layer_param_.power_param();
  const Dtype power = param.power(), scale = param.scale(), shift = param.shift();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    y[i] = power == 1 ? shift + scale * x[i] : std::pow(shift + scale * x[i], power);
  });
}

template <typename Dtype>
template <typename Where>
void PowerLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* x = Where::Data(bottom[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const PowerParameter& param = this->layer_param_.power_param();
  const Dtype power = param.power(), scale = param.scale(), shift = param.shift();
  const Dtype slope = power * scale;
  // A constant has the gradient 0, also where 0 ^ -1 would come in.
  if (power == 1 || slope == 0) {
    Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * slope; });
    return;
  }
  CAFFE_REQUIRE(bottom[0] != top[0])
      << "Power has no gradient in place unless power is 1: give bottom and top different names";
  Where::ForEach(bottom[0]->count(),
                 [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * slope * std::pow(shift + scale * x[i], power - 1); });
}

CPU_AND_GPU(PowerLayer);
INSTANTIATE_CLASS(PowerLayer);
REGISTER_LAYER_CLASS(Power);

}  // namespace caffe
