#include "caffe/layers/exp_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void ExpLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ExpParameter& param = this->layer_param_.exp_param();
  CAFFE_REQUIRE(param.base() == -1 || param.base() > 0)
      << "exp_param: base is " << param.base() << ", expected more than 0, or -1 for e";
  ln_base_ = param.base() == -1 ? 1 : std::log(static_cast<Dtype>(param.base()));
}

template <typename Dtype>
template <typename Where>
void ExpLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  const Dtype ln_base = ln_base_;
  const Dtype scale = this->layer_param_.exp_param().scale(), shift = this->layer_param_.exp_param().shift();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = std::exp(ln_base * (shift + scale * x[i])); });
}

template <typename Dtype>
template <typename Where>
void ExpLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                 const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* y = Where::Data(top[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const Dtype slope = ln_base_ * this->layer_param_.exp_param().scale();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * y[i] * slope; });
}

CPU_AND_GPU(ExpLayer);
INSTANTIATE_CLASS(ExpLayer);
REGISTER_LAYER_CLASS(Exp);

}  // namespace caffe
