// Which axes of a bottom a smaller blob (Scale, Bias, PReLU) speaks for.
#pragma once

#include <vector>

#include "caffe/blob.hpp"

namespace caffe {

// Shape of a parameter that covers num_axes axes of `bottom` from `axis` on; -1: all that follow, 0: a single value.
// Throws Error where the bottom has fewer axes.
template <typename Dtype>
vector<int> BroadcastShape(const Blob<Dtype>& bottom, int axis, int num_axes) {
  CAFFE_REQUIRE(num_axes >= -1) << "num_axes is " << num_axes << ", expected -1 or more";
  if (num_axes == 0) {
    return {};
  }
  const int first = bottom.CanonicalAxisIndex(axis);
  CAFFE_REQUIRE(num_axes == -1 || first + num_axes <= bottom.num_axes())
      << "the parameter covers " << num_axes << " axes from axis " << first << ", the bottom of shape "
      << bottom.shape_string() << " has too few";
  const auto begin = bottom.shape().begin() + first;
  return vector<int>(begin, num_axes == -1 ? bottom.shape().end() : begin + num_axes);
}

// Throws Error unless the axes of `small` equal those of `bottom` from axis `first` on.
template <typename Dtype>
void RequireBroadcast(const Blob<Dtype>& bottom, const Blob<Dtype>& small, int first) {
  bool fits = first + small.num_axes() <= bottom.num_axes();
  for (int i = 0; fits && i < small.num_axes(); ++i) {
    fits = small.shape(i) == bottom.shape(first + i);
  }
  CAFFE_REQUIRE(fits) << "a blob of shape " << small.shape_string() << " does not match bottom of shape "
                      << bottom.shape_string() << " from axis " << first << " on";
}

}  // namespace caffe
