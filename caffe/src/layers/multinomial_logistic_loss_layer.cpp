#include "caffe/layers/multinomial_logistic_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void MultinomialLogisticLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CAFFE_REQUIRE(bottom[1]->count() == bottom[0]->shape(0))
      << "labels of shape " << bottom[1]->shape_string() << " for probabilities of shape " << bottom[0]->shape_string()
      << ", expected " << bottom[0]->shape(0) << " labels";
}

template <typename Dtype>
void MultinomialLogisticLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                                      const vector<Blob<Dtype>*>& top) {
  const Dtype *prob = bottom[0]->cpu_data(), *labels = bottom[1]->cpu_data();
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1);
  Dtype loss = 0;
  for (int n = 0; n < num; ++n) {
    const Dtype p = prob[n * classes + this->ClassOf(labels[n], classes)];
    loss -= std::log(std::max(p, Dtype(kLOG_THRESHOLD)));
  }
  top[0]->mutable_cpu_data()[0] = loss / std::max(num, 1);
}

template <typename Dtype>
void MultinomialLogisticLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                                       const vector<bool>& propagate_down,
                                                       const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *prob = bottom[0]->cpu_data(), *labels = bottom[1]->cpu_data();
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1);
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  caffe_set(bottom[0]->count(), Dtype(0), dx);
  const Dtype slope = -top[0]->cpu_diff()[0] / std::max(num, 1);
  for (int n = 0; n < num; ++n) {
    const int i = n * classes + this->ClassOf(labels[n], classes);
    dx[i] = slope / std::max(prob[i], Dtype(kLOG_THRESHOLD));
  }
}

INSTANTIATE_CLASS(MultinomialLogisticLossLayer);
REGISTER_LAYER_CLASS(MultinomialLogisticLoss);

}  // namespace caffe
