#include "caffe/layers/log_layer.hpp"

#include "caffe/util/where.hpp"

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
template <typename Where>
void LogLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  const Dtype ln_base = ln_base_;
  const Dtype scale = this->layer_param_.log_param().scale(), shift = this->layer_param_.log_param().shift();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = std::log(shift + scale * x[i]) / ln_base; });
}

template <typename Dtype>
template <typename Where>
void LogLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                 const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* y = Where::Data(top[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const Dtype ln_base = ln_base_;
  const Dtype slope = this->layer_param_.log_param().scale() / ln_base;
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * slope * std::exp(-ln_base * y[i]); });
}

CPU_AND_GPU(LogLayer);
INSTANTIATE_CLASS(LogLayer);
REGISTER_LAYER_CLASS(Log);

}  // namespace caffe
