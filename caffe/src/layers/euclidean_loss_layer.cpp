#include "caffe/layers/euclidean_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

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
template <typename Where>
void EuclideanLossLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  const Dtype *a = Where::Data(bottom[0]), *b = Where::Data(bottom[1]);
  Dtype* diff = Where::MutableData(&diff_);
  Where::ForEach(count, [=] CAFFE_DEVICE(int i) { diff[i] = a[i] - b[i]; });
  const double squares = Where::Sum(count, [=] CAFFE_DEVICE(int i) { return static_cast<double>(diff[i]) * diff[i]; });
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(squares / std::max(bottom[0]->shape(0), 1) / 2);
}

template <typename Dtype>
template <typename Where>
void EuclideanLossLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                           const vector<Blob<Dtype>*>& bottom) {
  const Dtype slope = top[0]->cpu_diff()[0] / std::max(bottom[0]->shape(0), 1);
  for (int i = 0; i < 2; ++i) {
    if (propagate_down[i]) {
      const Dtype factor = i == 0 ? slope : -slope, *diff = Where::Data(&diff_);
      Dtype* dx = Where::MutableDiff(bottom[i]);
      Where::ForEach(diff_.count(), [=] CAFFE_DEVICE(int k) { dx[k] = factor * diff[k]; });
    }
  }
}

CPU_AND_GPU(EuclideanLossLayer);
INSTANTIATE_CLASS(EuclideanLossLayer);
REGISTER_LAYER_CLASS(EuclideanLoss);

}  // namespace caffe
