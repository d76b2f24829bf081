#include "caffe/layers/lrn_layer.hpp"

#include <algorithm>
#include <type_traits>

#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"
#include "onednn_windows.hpp"

namespace caffe {
namespace {

// x^-beta; the exponent that nearly every net uses needs no pow.
template <typename Dtype>
Dtype NegativePower(Dtype x, Dtype beta) {
  if (beta == Dtype(0.75)) {
    const Dtype root = std::sqrt(x);
    return 1 / (root * std::sqrt(root));
  }
  return std::pow(x, -beta);
}

}  // namespace

template <typename Dtype>
void LRNLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const LRNParameter& param = this->layer_param_.lrn_param();
  size_ = static_cast<int>(param.local_size());
  CAFFE_REQUIRE(size_ % 2 == 1) << "lrn_param: local_size is " << size_ << ", expected an odd number";
  pre_pad_ = (size_ - 1) / 2;
  alpha_ = param.alpha();
  beta_ = param.beta();
  across_channels_ = param.norm_region() == LRNParameter_NormRegion_ACROSS_CHANNELS;
  k_ = across_channels_ ? param.k() : 1;
}

template <typename Dtype>
void LRNLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() == 4)
      << "bottom of shape " << bottom[0]->shape_string() << ", expected 4 axes (num, channels, height, width)";
  CAFFE_REQUIRE(bottom[0] != top[0]) << "LRN cannot run in place: give bottom and top different names";
  num_ = bottom[0]->num();
  channels_ = bottom[0]->channels();
  height_ = bottom[0]->height();
  width_ = bottom[0]->width();
  top[0]->ReshapeLike(*bottom[0]);
  scale_.ReshapeLike(*bottom[0]);
  buffer_.ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void LRNLayer<Dtype>::SumAcrossChannels(const Dtype* image, Dtype factor, int channel, Dtype* plane_sums) const {
  const int plane = height_ * width_;
  const int first = std::max(channel - pre_pad_, 0), last = std::min(channel + pre_pad_, channels_ - 1);
  for (int c = first; c <= last; ++c) {
    const Dtype* values = image + c * plane;
    for (int i = 0; i < plane; ++i) {
      plane_sums[i] += factor * values[i];
    }
  }
}

template <typename Dtype>
void LRNLayer<Dtype>::SumWithinPlane(const Dtype* plane, Dtype factor, Dtype* plane_sums) const {
  // Rows first, then columns: 2 n instead of n^2 additions a position.
  vector<Dtype> column_sums(width_);
  for (int h = 0; h < height_; ++h) {
    std::fill(column_sums.begin(), column_sums.end(), Dtype(0));
    for (int row = std::max(h - pre_pad_, 0); row <= std::min(h + pre_pad_, height_ - 1); ++row) {
      for (int w = 0; w < width_; ++w) {
        column_sums[w] += plane[row * width_ + w];
      }
    }
    for (int w = 0; w < width_; ++w) {
      Dtype sum = 0;
      for (int column = std::max(w - pre_pad_, 0); column <= std::min(w + pre_pad_, width_ - 1); ++column) {
        sum += column_sums[column];
      }
      plane_sums[h * width_ + w] += factor * sum;
    }
  }
}

template <typename Dtype>
void LRNLayer<Dtype>::SumRegions(const Dtype* values, Dtype factor, Dtype offset, Dtype* sums) const {
  const int plane = height_ * width_;
  ForEachTask(num_ * channels_, static_cast<int64_t>(plane) * size_, [&](int task) {
    Dtype* plane_sums = sums + task * plane;
    std::fill_n(plane_sums, plane, offset);
    if (across_channels_) {
      SumAcrossChannels(values + task / channels_ * channels_ * plane, factor, task % channels_, plane_sums);
    } else {
      SumWithinPlane(values + task * plane, factor, plane_sums);
    }
  });
}

template <typename Dtype>
void LRNLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if constexpr (std::is_same_v<Dtype, float>) {
    if (across_channels_) {
      if (!onednn_) onednn_ = std::make_shared<onednn::Lrn>();
      const onednn::Lrn::Constants constants = {size_, alpha_, beta_, k_};
      if (onednn_->Forward(constants, bottom[0]->data().get(), bottom[0]->shape(), top[0]->data().get())) {
        return;
      }
    }
  }
  const int count = bottom[0]->count();
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  Dtype* squares = buffer_.mutable_cpu_data();
  ForEachElement(count, [=](int i) { squares[i] = x[i] * x[i]; });
  Dtype* scale = scale_.mutable_cpu_data();
  SumRegions(squares, RegionAlpha(), k_, scale);
  const Dtype beta = beta_;
  ForEachElement(count, [=](int i) { y[i] = x[i] * NegativePower(scale[i], beta); });
}

// With s the scale: dx = dy s^-beta - 2 a beta x * sum over the region of (dy y / s), a = alpha / region.
template <typename Dtype>
void LRNLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                   const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  if constexpr (std::is_same_v<Dtype, float>) {
    if (onednn_ && onednn_->ran()) {
      onednn_->Backward(bottom[0]->data().get(), top[0]->diff().get(), bottom[0]->diff().get());
      return;
    }
  }
  const int count = bottom[0]->count();
  const Dtype *x = bottom[0]->cpu_data(), *y = top[0]->cpu_data(), *dy = top[0]->cpu_diff();
  const Dtype* scale = scale_.cpu_data();
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  Dtype* ratio = buffer_.mutable_cpu_data();
  Dtype* ratio_sums = buffer_.mutable_cpu_diff();
  ForEachElement(count, [=](int i) { ratio[i] = dy[i] * y[i] / scale[i]; });
  SumRegions(ratio, 2 * RegionAlpha() * beta_, 0, ratio_sums);
  const Dtype beta = beta_;
  ForEachElement(count, [=](int i) { dx[i] = dy[i] * NegativePower(scale[i], beta) - x[i] * ratio_sums[i]; });
}

INSTANTIATE_CLASS(LRNLayer);
REGISTER_LAYER_CLASS(LRN);

}  // namespace caffe
