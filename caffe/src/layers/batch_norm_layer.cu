#include "caffe/layers/batch_norm_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void BatchNormLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0), channels = channels_;
  const int positions = bottom[0]->num_axes() > 2 ? bottom[0]->count(2) : 1, values = num * positions;
  const Dtype* x = Where::Data(bottom[0]);
  Dtype *mean = Where::MutableData(&mean_), *variance = Where::MutableData(&variance_);
  Blob<Dtype>*stored_mean = this->blobs_[0].get(), *stored_variance = this->blobs_[1].get();
  Blob<Dtype>* stored_factor = this->blobs_[2].get();
  if (use_global_stats_) {
    const Dtype *factor = Where::Data(stored_factor), *means = Where::Data(stored_mean);
    const Dtype* variances = Where::Data(stored_variance);
    Where::ForEach(channels, [=] CAFFE_DEVICE(int c) {
      const Dtype scale = factor[0] == 0 ? 0 : 1 / factor[0];
      mean[c] = scale * means[c];
      variance[c] = scale * variances[c];
    });
  } else if (values > 0) {
    const auto value = [=] CAFFE_DEVICE(int c, int column) {
      return static_cast<double>(x[(column / positions * channels + c) * positions + column % positions]);
    };
    Where::template ReduceRows<SumOfRow>(
        channels, values, value, [=] CAFFE_DEVICE(int c, double sum) { mean[c] = static_cast<Dtype>(sum / values); });
    Where::template ReduceRows<SumOfRow>(
        channels, values,
        [=] CAFFE_DEVICE(int c, int column) {
          const double difference =
              static_cast<double>(x[(column / positions * channels + c) * positions + column % positions]) - mean[c];
          return difference * difference;
        },
        [=] CAFFE_DEVICE(int c, double sum) { variance[c] = static_cast<Dtype>(sum / values); });
    const Dtype unbiased = values > 1 ? static_cast<Dtype>(values) / (values - 1) : 1;
    Dtype *factor = Where::MutableData(stored_factor), *means = Where::MutableData(stored_mean);
    Dtype* variances = Where::MutableData(stored_variance);
    const Dtype kept = moving_average_fraction_;
    Where::ForEach(channels, [=] CAFFE_DEVICE(int c) {
      means[c] = mean[c] + kept * means[c];
      variances[c] = unbiased * variance[c] + kept * variances[c];
      if (c == 0) factor[0] = factor[0] * kept + 1;
    });
  }
  Dtype *y = Where::MutableData(top[0]), *x_norm = use_global_stats_ ? nullptr : Where::MutableData(&x_norm_);
  const Dtype eps = eps_;
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const int c = i / positions % channels;
    y[i] = (x[i] - mean[c]) / std::sqrt(variance[c] + eps);
    if (x_norm) x_norm[i] = y[i];
  });
}

// As on the CPU: dx = (dy - mean(dy) - y mean(dy y)) / deviation, without the means for global statistics.
template <typename Dtype>
template <typename Where>
void BatchNormLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const int num = bottom[0]->shape(0), channels = channels_;
  const int positions = bottom[0]->num_axes() > 2 ? bottom[0]->count(2) : 1, values = num * positions;
  const Dtype *dy = Where::Diff(top[0]), *variance = Where::Data(&variance_);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const Dtype eps = eps_;
  if (use_global_stats_) {
    Where::ForEach(bottom[0]->count(),
                   [=] CAFFE_DEVICE(int i) { dx[i] = dy[i] / std::sqrt(variance[i / positions % channels] + eps); });
    return;
  }
  const Dtype* y = Where::Data(&x_norm_);
  Dtype *mean_dy = Where::MutableDiff(&mean_), *mean_dot = Where::MutableDiff(&variance_);
  Where::template ReduceRows<SumOfRow>(
      channels, values,
      [=] CAFFE_DEVICE(int c, int column) {
        return static_cast<double>(dy[(column / positions * channels + c) * positions + column % positions]);
      },
      [=] CAFFE_DEVICE(int c, double sum) { mean_dy[c] = static_cast<Dtype>(sum / values); });
  Where::template ReduceRows<SumOfRow>(
      channels, values,
      [=] CAFFE_DEVICE(int c, int column) {
        const int i = (column / positions * channels + c) * positions + column % positions;
        return static_cast<double>(dy[i] * y[i]);
      },
      [=] CAFFE_DEVICE(int c, double sum) { mean_dot[c] = static_cast<Dtype>(sum / values); });
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const int c = i / positions % channels;
    dx[i] = (dy[i] - (mean_dy[c] + y[i] * mean_dot[c])) / std::sqrt(variance[c] + eps);
  });
}

REGISTER_GPU_FORM(BatchNormLayer);

}  // namespace caffe
