#include "caffe/layers/absval_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void AbsValLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0] != top[0]) << "AbsVal cannot run in place: give bottom and top different names";
  NeuronLayer<Dtype>::Reshape(bottom, top);
}

template <typename Dtype>
template <typename Where>
void AbsValLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { y[i] = std::abs(x[i]); });
}

template <typename Dtype>
template <typename Where>
void AbsValLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype* x = Where::Data(bottom[0]);
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] * caffe_sign(x[i]); });
}

CPU_AND_GPU(AbsValLayer);
INSTANTIATE_CLASS(AbsValLayer);
REGISTER_LAYER_CLASS(AbsVal);

}  // namespace caffe
