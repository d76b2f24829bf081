#include "caffe/layers/mvn_layer.hpp"

#include "caffe/util/parallel.hpp"

namespace caffe {

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
void MVNLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const bool normalize_variance = this->layer_param_.mvn_param().normalize_variance();
  const Dtype* bottom_data = bottom[0]->cpu_data();
  Dtype *top_data = top[0]->mutable_cpu_data(), *means = mean_.mutable_cpu_data();
  Dtype* variances = variance_.mutable_cpu_data();
  ForEachTask(parts_, 4 * part_size_, [&](int part) {
    const Dtype* x = bottom_data + static_cast<int64_t>(part) * part_size_;
    Dtype* y = top_data + static_cast<int64_t>(part) * part_size_;
    double sum = 0, squares = 0;
    for (int i = 0; i < part_size_; ++i) {
      sum += x[i];
    }
    const Dtype mean = static_cast<Dtype>(sum / part_size_);
    for (int i = 0; i < part_size_; ++i) {
      y[i] = x[i] - mean;
      squares += static_cast<double>(y[i]) * y[i];
    }
    means[part] = mean;
    variances[part] = static_cast<Dtype>(squares / part_size_);
    const Dtype divisor = std::sqrt(variances[part]) + eps_;
    for (int i = 0; normalize_variance && i < part_size_; ++i) {
      y[i] /= divisor;
    }
  });
}

// With s the deviation: dx = (dy - mean(dy) - (x - mean) / s * mean(dy y)) / (s + eps), and (x - mean) / s is
// y (s + eps) / s. Without the variance: dx = dy - mean(dy).
template <typename Dtype>
void MVNLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const bool normalize_variance = this->layer_param_.mvn_param().normalize_variance();
  const Dtype *top_data = top[0]->cpu_data(), *top_diff = top[0]->cpu_diff(), *variances = variance_.cpu_data();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  ForEachTask(parts_, 4 * part_size_, [&](int part) {
    const int64_t first = static_cast<int64_t>(part) * part_size_;
    const Dtype *y = top_data + first, *dy = top_diff + first;
    Dtype* dx = bottom_diff + first;
    double sum = 0, dot = 0;
    for (int i = 0; i < part_size_; ++i) {
      sum += dy[i];
      dot += static_cast<double>(dy[i]) * y[i];
    }
    const Dtype mean = static_cast<Dtype>(sum / part_size_), deviation = std::sqrt(variances[part]);
    const Dtype divisor = normalize_variance ? deviation + eps_ : 1;
    const Dtype slope =
        normalize_variance && deviation > 0 ? static_cast<Dtype>(dot / part_size_) * divisor / deviation : 0;
    for (int i = 0; i < part_size_; ++i) {
      dx[i] = (dy[i] - mean - y[i] * slope) / divisor;
    }
  });
}

INSTANTIATE_CLASS(MVNLayer);
REGISTER_LAYER_CLASS(MVN);

}  // namespace caffe
