// What pooling makes of one window: the same on CPU and GPU.
#pragma once

#include <algorithm>

#include "caffe/util/where.hpp"

namespace caffe {

// Image rows and columns of one window, [begin, end), and its size before it was clipped to the image.
struct PoolingWindow {
  int h_begin, h_end, w_begin, w_end;
  int padded_size;
};

struct PoolingGeometry {
  int height, width, pooled_height, pooled_width;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;

  CAFFE_DEVICE PoolingWindow WindowAt(int ph, int pw) const {
    const int h = ph * stride_h - pad_h, w = pw * stride_w - pad_w;
    const int h_end = std::min(h + kernel_h, height + pad_h), w_end = std::min(w + kernel_w, width + pad_w);
    return {std::max(h, 0), std::min(h_end, height), std::max(w, 0), std::min(w_end, width), (h_end - h) * (w_end - w)};
  }
};

// Below, `image` has rows of `width` values; places are flat indices into it.

template <typename Dtype>
CAFFE_DEVICE Dtype SumOfWindow(const PoolingWindow& window, int width, const Dtype* image) {
  Dtype sum = 0;
  for (int h = window.h_begin; h < window.h_end; ++h) {
    for (int w = window.w_begin; w < window.w_end; ++w) sum += image[h * width + w];
  }
  return sum;
}

// The place of the first of the largest values.
template <typename Dtype>
CAFFE_DEVICE int LargestOfWindow(const PoolingWindow& window, int width, const Dtype* image) {
  int best = window.h_begin * width + window.w_begin;
  for (int h = window.h_begin; h < window.h_end; ++h) {
    for (int w = window.w_begin; w < window.w_end; ++w) {
      const int candidate = h * width + w;
      best = image[candidate] > image[best] ? candidate : best;
    }
  }
  return best;
}

// The place of a value drawn with probability proportional to itself, by `random` in [0, 1): the first at which the
// running sum passes the threshold; the first of the window where all are 0.
template <typename Dtype>
CAFFE_DEVICE int DrawnOfWindow(const PoolingWindow& window, int width, const Dtype* image, Dtype random) {
  const Dtype threshold = random * SumOfWindow(window, width, image);
  Dtype running = 0;
  int chosen = window.h_begin * width + window.w_begin;
  for (int h = window.h_begin; h < window.h_end && running <= threshold; ++h) {
    for (int w = window.w_begin; w < window.w_end && running <= threshold; ++w) {
      const Dtype value = image[h * width + w];
      running += value;
      chosen = value > 0 ? h * width + w : chosen;
    }
  }
  return chosen;
}

// What is drawn on average: sum(x^2) / sum(x).
template <typename Dtype>
CAFFE_DEVICE Dtype ExpectationOfWindow(const PoolingWindow& window, int width, const Dtype* image) {
  Dtype sum = 0, squares = 0;
  for (int h = window.h_begin; h < window.h_end; ++h) {
    for (int w = window.w_begin; w < window.w_end; ++w) {
      const Dtype value = image[h * width + w];
      sum += value;
      squares += value * value;
    }
  }
  return sum > 0 ? squares / sum : 0;
}

}  // namespace caffe
