// Where the candidates of ArgMax lie, and where their ranks go: the same on CPU and GPU.
#pragma once

#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
struct ArgMaxGroups {
  int candidates, stride;  // of a group; `stride` values apart
  int top_k;
  bool has_axis, out_max_val;
  const Dtype* x;
  Dtype* y;

  CAFFE_DEVICE Dtype At(int group, int c) const {
    return x[(group / stride * candidates + c) * stride + group % stride];
  }
  // Candidate c is the k-th of its group.
  CAFFE_DEVICE void Store(int group, int k, int c) const {
    const Dtype index = static_cast<Dtype>(c), value = At(group, c);
    if (has_axis) {
      y[(group / stride * top_k + k) * stride + group % stride] = out_max_val ? value : index;
    } else if (out_max_val) {
      y[2 * group * top_k + k] = index;
      y[(2 * group + 1) * top_k + k] = value;
    } else {
      y[group * top_k + k] = index;
    }
  }
};

}  // namespace caffe
