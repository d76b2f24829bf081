#include "caffe/layers/hinge_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
bool HingeLossLayer<Dtype>::SquaredNorm() const {
  return this->layer_param_.hinge_loss_param().norm() == HingeLossParameter_Norm_L2;
}

template <typename Dtype>
template <typename Where>
void HingeLossLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1), count = bottom[0]->count();
  CAFFE_REQUIRE(bottom[1]->count() == num) << "labels of shape " << bottom[1]->shape_string() << " for scores of shape "
                                           << bottom[0]->shape_string() << ", expected " << num << " labels";
  for (int n = 0; n < num; ++n) this->ClassOf(bottom[1]->cpu_data()[n], classes);
  margin_.ReshapeLike(*bottom[0]);
  const Dtype *score = Where::Data(bottom[0]), *label = Where::Data(bottom[1]);
  Dtype* margin = Where::MutableData(&margin_);
  const bool squared = SquaredNorm();
  Where::ForEach(count, [=] CAFFE_DEVICE(int i) {
    const bool own = i % classes == static_cast<int>(label[i / classes]);
    margin[i] = std::max(Dtype(0), 1 + (own ? -score[i] : score[i]));
  });
  const double sum = Where::Sum(count, [=] CAFFE_DEVICE(int i) {
    const double value = margin[i];
    return squared ? value * value : value;
  });
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(sum / std::max(num, 1));
}

template <typename Dtype>
template <typename Where>
void HingeLossLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) return;
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1);
  const Dtype slope = top[0]->cpu_diff()[0] / std::max(num, 1);
  const Dtype *margin = Where::Data(&margin_), *label = Where::Data(bottom[1]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const bool squared = SquaredNorm();
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const Dtype magnitude = squared ? 2 * margin[i] : caffe_sign(margin[i]);
    dx[i] = i % classes == static_cast<int>(label[i / classes]) ? -slope * magnitude : slope * magnitude;
  });
}

CPU_AND_GPU(HingeLossLayer);
INSTANTIATE_CLASS(HingeLossLayer);
REGISTER_LAYER_CLASS(HingeLoss);

}  // namespace caffe
