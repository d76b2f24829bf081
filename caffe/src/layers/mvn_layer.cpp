#include "caffe/layers/mvn_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {
namespace {

// means[part] = mean of term(i, part) over the part's elements i, in double.
template <typename Where, typename Dtype, typename Term>
void MeansOfParts(int parts, int size, Dtype* means, Term term) {
  Where::template ReduceRows<SumOfRow>(
      parts, size,
      [=] CAFFE_DEVICE(int part, int i) { return double{term(static_cast<int64_t>(part) * size + i, part)}; },
      [=] CAFFE_DEVICE(int part, double sum) { means[part] = static_cast<Dtype>(sum / size); });
}

}  // namespace

template <typename Dtype>
void MVNLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const MVNParameter& param = this->layer_param_.mvn_param();
  CAFFE_REQUIRE(bottom[0]->num_axes() >= 2)
      << "bottom of shape " << bottom[0]->shape_string() << ", expected two axes at least (num, channels)";
  const int axes_of_part = param.across_channels() ? 1 : 2;
  parts_ = bottom[0]->count(0, axes_of_part);
  part_size_ = bottom[0]->count(axes_of_part);
  eps_ = param.eps();
  top[0]->ReshapeLike(*bottom[0]);
  mean_.Reshape({parts_});
  variance_.Reshape({parts_});
}

template <typename Dtype>
template <typename Where>
void MVNLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const bool normalize_variance = this->layer_param_.mvn_param().normalize_variance();
  const Dtype *x = Where::Data(bottom[0]), eps = eps_;
  Dtype *y = Where::MutableData(top[0]), *mean = Where::MutableData(&mean_), *variance = Where::MutableData(&variance_);
  const int size = part_size_;
  MeansOfParts<Where>(parts_, size, mean, [=] CAFFE_DEVICE(int64_t i, int) { return x[i]; });
  MeansOfParts<Where>(parts_, size, variance, [=] CAFFE_DEVICE(int64_t i, int part) {
    const double difference = x[i] - mean[part];
    return difference * difference;
  });
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const int part = i / size;
    y[i] = (x[i] - mean[part]) / (normalize_variance ? std::sqrt(variance[part]) + eps : 1);
  });
}

// With s the deviation: dx = (dy - mean(dy) - (x - mean) / s * mean(dy y)) / (s + eps), and (x - mean) / s is
// y (s + eps) / s. Without the variance: dx = dy - mean(dy).
template <typename Dtype>
template <typename Where>
void MVNLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                 const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const bool normalize_variance = this->layer_param_.mvn_param().normalize_variance();
  const Dtype *y = Where::Data(top[0]), *dy = Where::Diff(top[0]), *variance = Where::Data(&variance_), eps = eps_;
  Dtype *dx = Where::MutableDiff(bottom[0]), *mean = Where::MutableDiff(&mean_), *dot = Where::MutableDiff(&variance_);
  const int size = part_size_;
  MeansOfParts<Where>(parts_, size, mean, [=] CAFFE_DEVICE(int64_t i, int) { return dy[i]; });
  MeansOfParts<Where>(parts_, size, dot, [=] CAFFE_DEVICE(int64_t i, int) { return double{dy[i]} * y[i]; });
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const int part = i / size;
    const Dtype deviation = std::sqrt(variance[part]);
    const Dtype divisor = normalize_variance ? deviation + eps : 1;
    const Dtype slope = normalize_variance && deviation > 0 ? dot[part] * divisor / deviation : 0;
    dx[i] = (dy[i] - mean[part] - y[i] * slope) / divisor;
  });
}

CPU_AND_GPU(MVNLayer);
INSTANTIATE_CLASS(MVNLayer);
REGISTER_LAYER_CLASS(MVN);

}  // namespace caffe
