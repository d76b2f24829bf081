#include "caffe/layers/log_layer.hpp"

#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void LogLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const LogParameter& param = this->layer_param_.log_param();
  CAFFE_REQUIRE(param.base() == -1 || param.base() > 0)
      << "log_param: base is " << param.base() << ", expected more than 0, or -1 for e";
  CAFFE_REQUIRE(param.base() != 1) << "log_param: base 1 has no logarithm";
  ln_base_ = param.base() == -1 ? 1 : std::log(static_cast<Dtype>(param.base()));
}

template <typename Dtype>
void LogLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const Dtype ln_base = ln_base_;
  const Dtype scale = this->layer_param_.log_param().scale(), shift = this->layer_param_.log_param().shift();
  ForEachElement(bottom[0]->count(), [=](int i) { y[i] = std::log(shift + scale * x[i]) / ln_base; });
}

template <typename Dtype>
void LogLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* y = top[0]->cpu_data();
  const Dtype* dy = top[0]->cpu_diff();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  const Dtype ln_base = ln_base_;
  const Dtype slope = this->layer_param_.log_param().scale() / ln_base;
  ForEachElement(bottom[0]->count(), [=](int i) { dx[i] = dy[i] * slope * std::exp(-ln_base * y[i]); });
}

INSTANTIATE_CLASS(LogLayer);
REGISTER_LAYER_CLASS(Log);

}  // namespace caffe
