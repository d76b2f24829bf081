#include "caffe/layers/contrastive_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void ContrastiveLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CAFFE_REQUIRE(bottom[0]->count() == bottom[1]->count())
      << "vectors of shapes " << bottom[0]->shape_string() << " and " << bottom[1]->shape_string()
      << ", expected as many values in both";
  CAFFE_REQUIRE(bottom[2]->count() == bottom[0]->shape(0))
      << "bottom 2 of shape " << bottom[2]->shape_string() << ", expected one value for each of the "
      << bottom[0]->shape(0) << " pairs";
  diff_.ReshapeLike(*bottom[0]);
  dist_sq_.Reshape({bottom[0]->shape(0)});
}

template <typename Dtype>
template <typename Where>
void ContrastiveLossLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ContrastiveLossParameter& param = this->layer_param_.contrastive_loss_param();
  const Dtype margin = param.margin();
  const bool legacy = param.legacy_version();
  const int num = bottom[0]->shape(0), size = bottom[0]->count(1);
  const Dtype *a = Where::Data(bottom[0]), *b = Where::Data(bottom[1]), *alike = Where::Data(bottom[2]);
  Dtype *diff = Where::MutableData(&diff_), *squares = Where::MutableData(&dist_sq_);
  Where::ForEach(diff_.count(), [=] CAFFE_DEVICE(int i) { diff[i] = a[i] - b[i]; });
  Where::template ReduceRows<SumOfRow>(
      num, size,
      [=] CAFFE_DEVICE(int n, int i) {
        const double value = diff[n * size + i];
        return value * value;
      },
      [=] CAFFE_DEVICE(int n, double sum) { squares[n] = static_cast<Dtype>(sum); });
  const double loss = Where::Sum(num, [=] CAFFE_DEVICE(int n) {
    const Dtype squared = squares[n];
    if (static_cast<int>(alike[n])) return static_cast<double>(squared);
    if (legacy) return static_cast<double>(std::max(margin - squared, Dtype(0)));
    const Dtype missing = std::max(margin - std::sqrt(squared), Dtype(0));
    return static_cast<double>(missing * missing);
  });
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / std::max(num, 1) / 2);
}

// With g = top gradient / N and d = a - b: g d for pairs alike; for others within the margin -g d (legacy) or
// -g d (margin - |d|) / |d|; the opposite for b.
template <typename Dtype>
template <typename Where>
void ContrastiveLossLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                             const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[2]) << this->type() << " has no gradient for its labels";
  const ContrastiveLossParameter& param = this->layer_param_.contrastive_loss_param();
  const Dtype margin = param.margin();
  const bool legacy = param.legacy_version();
  const int num = bottom[0]->shape(0), size = bottom[0]->count(1);
  const Dtype *alike = Where::Data(bottom[2]), *diff = Where::Data(&diff_), *squares = Where::Data(&dist_sq_);
  for (int b = 0; b < 2; ++b) {
    if (!propagate_down[b]) continue;
    const Dtype slope = (b == 0 ? 1 : -1) * top[0]->cpu_diff()[0] / std::max(num, 1);
    Dtype* dx = Where::MutableDiff(bottom[b]);
    Where::ForEach(diff_.count(), [=] CAFFE_DEVICE(int i) {
      const int n = i / size;
      const Dtype squared = squares[n], distance = std::sqrt(squared);
      Dtype factor = 1;
      if (!static_cast<int>(alike[n])) {
        // At distance 0 every direction is as good as another: none.
        const bool pushes = legacy ? squared < margin : distance < margin && distance > 0;
        factor = !pushes ? 0 : legacy ? -1 : -(margin - distance) / distance;
      }
      dx[i] = slope * factor * diff[i];
    });
  }
}

CPU_AND_GPU(ContrastiveLossLayer);
INSTANTIATE_CLASS(ContrastiveLossLayer);
REGISTER_LAYER_CLASS(ContrastiveLoss);

}  // namespace caffe
