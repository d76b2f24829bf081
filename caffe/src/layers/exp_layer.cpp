#include "caffe/layers/exp_layer.hpp"

#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void ExpLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ExpParameter& param = this->layer_param_.exp_param();
  CAFFE_REQUIRE(param.base() == -1 || param.base() > 0)
      << "exp_param: base is " << param.base() << ", expected more than 0, or -1 for e";
  ln_base_ = param.base() == -1 ? 1 : std::log(static_cast<Dtype>(param.base()));
}

template <typename Dtype>
void ExpLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const Dtype ln_base = ln_base_;
  const Dtype scale = this->layer_param_.exp_param().scale(), shift = this->layer_param_.exp_param().shift();
  ForEachElement(bottom[0]->count(), [=](int i) { y[i] = std::exp(ln_base * (shift + scale * x[i])); });
}

template <typename Dtype>
void ExpLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* y = top[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const Dtype slope = ln_base_ * this->layer_param_.exp_param().scale();
  ForEachElement(bottom[0]->count(), [=](int i) { dx[i] = dy[i] * y[i] * slope; });
}

INSTANTIATE_CLASS(ExpLayer);
REGISTER_LAYER_CLASS(Exp);

}  // namespace caffe
