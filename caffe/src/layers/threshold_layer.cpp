#include "caffe/layers/threshold_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
template <typename Where>
void ThresholdLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  const Dtype threshold = this->layer_param_.threshold_param().threshold();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = x[i] > threshold ? 1 : 0; });
}

template <typename Dtype>
template <typename Where>
void ThresholdLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[0]) << "Threshold has no gradient";
}

CPU_AND_GPU(ThresholdLayer);
INSTANTIATE_CLASS(ThresholdLayer);
REGISTER_LAYER_CLASS(Threshold);

}  // namespace caffe
