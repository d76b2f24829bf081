#include "caffe/layers/multinomial_logistic_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void MultinomialLogisticLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CAFFE_REQUIRE(bottom[1]->count() == bottom[0]->shape(0))
      << "labels of shape " << bottom[1]->shape_string() << " for probabilities of shape " << bottom[0]->shape_string()
      << ", expected " << bottom[0]->shape(0) << " labels";
}

template <typename Dtype>
template <typename Where>
void MultinomialLogisticLossLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom,
                                                    const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1);
  for (int n = 0; n < num; ++n) this->ClassOf(bottom[1]->cpu_data()[n], classes);
  const Dtype *prob = Where::Data(bottom[0]), *label = Where::Data(bottom[1]);
  const double loss = Where::Sum(num, [=] CAFFE_DEVICE(int n) {
    const Dtype p = prob[n * classes + static_cast<int>(label[n])];
    return -static_cast<double>(std::log(std::max(p, Dtype(kLOG_THRESHOLD))));
  });
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / std::max(num, 1));
}

template <typename Dtype>
template <typename Where>
void MultinomialLogisticLossLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top,
                                                     const vector<bool>& propagate_down,
                                                     const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) return;
  const int num = bottom[0]->shape(0), classes = bottom[0]->count(1);
  const Dtype *prob = Where::Data(bottom[0]), *label = Where::Data(bottom[1]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const Dtype slope = -top[0]->cpu_diff()[0] / std::max(num, 1);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const bool own = i % classes == static_cast<int>(label[i / classes]);
    dx[i] = own ? slope / std::max(prob[i], Dtype(kLOG_THRESHOLD)) : 0;
  });
}

CPU_AND_GPU(MultinomialLogisticLossLayer);
INSTANTIATE_CLASS(MultinomialLogisticLossLayer);
REGISTER_LAYER_CLASS(MultinomialLogisticLoss);

}  // namespace caffe
