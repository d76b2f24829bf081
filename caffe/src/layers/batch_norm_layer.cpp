#include "caffe/layers/batch_norm_layer.hpp"

#include <algorithm>
#include <type_traits>

#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"
#include "onednn_normalization.hpp"

namespace caffe {

namespace {

// Values of one channel in one image.
template <typename Dtype>
int Positions(const Blob<Dtype>& bottom) {
  return bottom.num_axes() > 2 ? bottom.count(2) : 1;
}

}  // namespace

template <typename Dtype>
void BatchNormLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const BatchNormParameter& param = this->layer_param_.batch_norm_param();
  moving_average_fraction_ = param.moving_average_fraction();
  use_global_stats_ = param.has_use_global_stats() ? param.use_global_stats() : this->phase_ == TEST;
  eps_ = param.eps();
  channels_ = bottom[0]->num_axes() == 1 ? 1 : bottom[0]->shape(1);
  auto& blobs = this->blobs_;
  const vector<vector<int>> shapes = {{channels_}, {channels_}, {1}};
  if (blobs.empty()) {
    for (const vector<int>& shape : shapes) {
      blobs.push_back(std::make_shared<Blob<Dtype>>(shape));
      caffe_set(blobs.back()->count(), Dtype(0), blobs.back()->mutable_cpu_data());
    }
  }
  CAFFE_REQUIRE(blobs.size() == shapes.size())
      << "has " << blobs.size() << " parameter blobs, expected " << shapes.size();
  for (size_t i = 0; i < shapes.size(); ++i) {
    CAFFE_REQUIRE(blobs[i]->shape() == shapes[i])
        << "parameter " << i << " of shape " << blobs[i]->shape_string() << ", expected " << shapes[i][0];
    // A solver must leave the statistics alone.
    if (this->layer_param_.param_size() == static_cast<int>(i)) {
      this->layer_param_.add_param()->set_lr_mult(0);
    }
    CAFFE_REQUIRE(this->layer_param_.param(static_cast<int>(i)).lr_mult() == 0)
        << "the statistics of BatchNorm are not learned: lr_mult must be 0";
  }
}

template <typename Dtype>
void BatchNormLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int channels = bottom[0]->num_axes() == 1 ? 1 : bottom[0]->shape(1);
  CAFFE_REQUIRE(channels == channels_) << "bottom of shape " << bottom[0]->shape_string() << ", the statistics are for "
                                       << channels_ << " channels";
  top[0]->ReshapeLike(*bottom[0]);
  mean_.Reshape({channels_});
  variance_.Reshape({channels_});
  x_norm_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void BatchNormLayer<Dtype>::ComputeBatchStatistics(const Blob<Dtype>& bottom) {
  const int num = bottom.shape(0), positions = Positions(bottom);
  const Dtype* x = bottom.cpu_data();
  Dtype *mean = mean_.mutable_cpu_data(), *variance = variance_.mutable_cpu_data();
  ForEachTask(channels_, num * positions, [&](int c) {
    double sum = 0, squares = 0;
    for (int n = 0; n < num; ++n) {
      const Dtype* plane = x + (n * channels_ + c) * positions;
      sum += SumOf(positions, [=](int i) { return static_cast<double>(plane[i]); });
    }
    const double average = sum / (num * positions);
    for (int n = 0; n < num; ++n) {
      const Dtype* plane = x + (n * channels_ + c) * positions;
      squares += SumOf(positions, [=](int i) { return (plane[i] - average) * (plane[i] - average); });
    }
    mean[c] = static_cast<Dtype>(average);
    variance[c] = static_cast<Dtype>(squares / (num * positions));
  });
}

template <typename Dtype>
void BatchNormLayer<Dtype>::UpdateMovingAverages(int values_per_channel) {
  const Dtype m = values_per_channel;
  const Dtype unbiased = m > 1 ? m / (m - 1) : 1;  // the stored variance estimates that of the population
  Dtype* factor = this->blobs_[2]->mutable_cpu_data();
  factor[0] = factor[0] * moving_average_fraction_ + 1;
  caffe_cpu_axpby(channels_, Dtype(1), mean_.cpu_data(), moving_average_fraction_, this->blobs_[0]->mutable_cpu_data());
  caffe_cpu_axpby(channels_, unbiased, variance_.cpu_data(), moving_average_fraction_,
                  this->blobs_[1]->mutable_cpu_data());
}

template <typename Dtype>
void BatchNormLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int num = bottom[0]->shape(0), positions = Positions(*bottom[0]);
  if (use_global_stats_) {
    const Dtype factor = this->blobs_[2]->cpu_data()[0];
    const Dtype scale = factor == 0 ? 0 : 1 / factor;
    caffe_cpu_scale(channels_, scale, this->blobs_[0]->cpu_data(), mean_.mutable_cpu_data());
    caffe_cpu_scale(channels_, scale, this->blobs_[1]->cpu_data(), variance_.mutable_cpu_data());
  } else if (num * positions > 0) {
    ComputeBatchStatistics(*bottom[0]);
    UpdateMovingAverages(num * positions);
  }
  Normalize(*bottom[0], top[0]);
}

template <typename Dtype>
void BatchNormLayer<Dtype>::Normalize(const Blob<Dtype>& bottom, Blob<Dtype>* top) {
  const int num = bottom.shape(0), positions = Positions(bottom);
  const Dtype *x = bottom.cpu_data(), *mean = mean_.cpu_data(), *variance = variance_.cpu_data();
  Dtype *y = top->mutable_cpu_data(), *x_norm = use_global_stats_ ? nullptr : x_norm_.mutable_cpu_data();
  ForEachTask(num * channels_, positions, [&](int task) {
    const int c = task % channels_;
    const Dtype inverse_deviation = 1 / std::sqrt(variance[c] + eps_);
    for (int i = task * positions; i < (task + 1) * positions; ++i) {
      y[i] = (x[i] - mean[c]) * inverse_deviation;
    }
    if (x_norm) {
      std::copy_n(y + task * positions, positions, x_norm + task * positions);
    }
  });
}

// Global statistics: dx = dy / deviation. Those of the batch depend on x too:
// dx = (dy - mean(dy) - y mean(dy y)) / deviation.
template <typename Dtype>
void BatchNormLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const int num = bottom[0]->shape(0), positions = Positions(*bottom[0]);
  const Dtype *dy = top[0]->cpu_diff(), *variance = variance_.cpu_data();
  const Dtype* y = use_global_stats_ ? nullptr : x_norm_.cpu_data();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  ForEachTask(channels_, num * positions, [&](int c) {
    const Dtype inverse_deviation = 1 / std::sqrt(variance[c] + eps_);
    double sum = 0, dot = 0;
    for (int n = 0; y && n < num; ++n) {
      const int first = (n * channels_ + c) * positions;
      sum += SumOf(positions, [=](int i) { return static_cast<double>(dy[first + i]); });
      dot += SumOf(positions, [=](int i) { return static_cast<double>(dy[first + i] * y[first + i]); });
    }
    const Dtype mean_dy = static_cast<Dtype>(sum / (num * positions));
    const Dtype mean_dot = static_cast<Dtype>(dot / (num * positions));
    for (int n = 0; n < num; ++n) {
      const int first = (n * channels_ + c) * positions;
      for (int i = first; i < first + positions; ++i) {
        dx[i] = (dy[i] - (y ? mean_dy + y[i] * mean_dot : 0)) * inverse_deviation;
      }
    }
  });
}

template <typename Dtype>
bool BatchNormLayer<Dtype>::ForwardWith(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& bottom,
                                        const vector<Blob<Dtype>*>& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    if (followers.negative_slope() != 0) return false;
    Reshape(bottom, top);
    if (!onednn_) onednn_ = std::make_shared<onednn::Normalization>();
    if (!onednn_->Forward(followers, eps_, bottom[0]->shape(), bottom[0]->data().get(), mean_.mutable_cpu_data(),
                          variance_.mutable_cpu_data(), top[0]->data().get())) {
      return false;
    }
    UpdateMovingAverages(bottom[0]->count() / channels_);
    return true;
  }
  return false;
}

template <typename Dtype>
void BatchNormLayer<Dtype>::BackwardWith(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& top,
                                         const vector<Blob<Dtype>*>& bottom) {
  if constexpr (std::is_same_v<Dtype, float>) {
    CAFFE_REQUIRE(onednn::ToDims(bottom[0]->shape()) == onednn_->x()->desc().dims())
        << "bottom of shape " << bottom[0]->shape_string() << ", the last Forward had another";
    onednn_->Backward(followers, mean_.mutable_cpu_data(), variance_.mutable_cpu_data(), top[0]->diff().get(),
                      bottom[0]->diff().get());
  }
}

template <typename Dtype>
void BatchNormLayer<Dtype>::Repeat(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    bottom[0]->data()->set_foreign(onednn_->x());
    Normalize(*bottom[0], top[0]);
  }
}

INSTANTIATE_CLASS(BatchNormLayer);
REGISTER_LAYER_CLASS(BatchNorm);

}  // namespace caffe
