#include "caffe/layers/hinge_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void HingeLossLayer<Dtype>::ComputeMargins(const vector<Blob<Dtype>*>& bottom) {
  margin_.ReshapeLike(*bottom[0]);
  const Dtype *score = bottom[0]->cpu_data(), *labels = bottom[1]->cpu_data();
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1);
  Dtype* margin = margin_.mutable_cpu_data();
  for (int n = 0; n < num; ++n) {
    const int label = this->ClassOf(labels[n], classes);
    for (int c = 0; c < classes; ++c, ++score, ++margin) {
      *margin = std::max(Dtype(0), 1 + (c == label ? -*score : *score));
    }
  }
}

template <typename Dtype>
bool HingeLossLayer<Dtype>::SquaredNorm() const {
  return this->layer_param_.hinge_loss_param().norm() == HingeLossParameter_Norm_L2;
}

template <typename Dtype>
void HingeLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[1]->count() == bottom[0]->shape(0))
      << "labels of shape " << bottom[1]->shape_string() << " for scores of shape " << bottom[0]->shape_string()
      << ", expected " << bottom[0]->shape(0) << " labels";
  ComputeMargins(bottom);
  const Dtype* margin = margin_.cpu_data();
  const int count = margin_.count();
  const Dtype sum = SquaredNorm() ? caffe_cpu_dot(count, margin, margin) : caffe_cpu_asum(count, margin);
  top[0]->mutable_cpu_data()[0] = sum / std::max(bottom[0]->shape(0), 1);
}

template <typename Dtype>
void HingeLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) {
    return;
  }
  ComputeMargins(bottom);
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1);
  const Dtype slope = top[0]->cpu_diff()[0] / std::max(num, 1);
  const Dtype *margin = margin_.cpu_data(), *labels = bottom[1]->cpu_data();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  for (int n = 0; n < num; ++n) {
    for (int c = 0; c < classes; ++c, ++margin, ++dx) {
      const Dtype magnitude = SquaredNorm() ? 2 * *margin : caffe_sign(*margin);
      *dx = c == static_cast<int>(labels[n]) ? -slope * magnitude : slope * magnitude;
    }
  }
}

INSTANTIATE_CLASS(HingeLossLayer);
REGISTER_LAYER_CLASS(HingeLoss);

}  // namespace caffe
