#include "caffe/layers/euclidean_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void EuclideanLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CAFFE_REQUIRE(bottom[0]->count() == bottom[1]->count())
      << "bottoms of shapes " << bottom[0]->shape_string() << " and " << bottom[1]->shape_string()
      << ", expected as many values in both";
  diff_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void EuclideanLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  caffe_sub(count, bottom[0]->cpu_data(), bottom[1]->cpu_data(), diff_.mutable_cpu_data());
  const Dtype squares = caffe_cpu_dot(count, diff_.cpu_data(), diff_.cpu_data());
  top[0]->mutable_cpu_data()[0] = squares / std::max(bottom[0]->shape(0), 1) / 2;
}

template <typename Dtype>
void EuclideanLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                             const vector<Blob<Dtype>*>& bottom) {
  const Dtype slope = top[0]->cpu_diff()[0] / std::max(bottom[0]->shape(0), 1);
  for (int i = 0; i < 2; ++i) {
    if (propagate_down[i]) {
      caffe_cpu_scale(diff_.count(), i == 0 ? slope : -slope, diff_.cpu_data(), bottom[i]->mutable_cpu_diff());
    }
  }
}

INSTANTIATE_CLASS(EuclideanLossLayer);
REGISTER_LAYER_CLASS(EuclideanLoss);

}  // namespace caffe
