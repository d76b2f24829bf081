#include "caffe/layers/softmax_layer.hpp"

#include <algorithm>

#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void SoftmaxLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  softmax_axis_ = bottom[0]->CanonicalAxisIndex(this->layer_param_.softmax_param().axis());
  outer_num_ = bottom[0]->count(0, softmax_axis_);
  inner_num_ = bottom[0]->count(softmax_axis_ + 1);
  top[0]->ReshapeLike(*bottom[0]);
}

// Rows of inner_num_ neighbouring positions are handled together, class by class, so that memory is read in order.
template <typename Dtype>
void SoftmaxLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* bottom_data = bottom[0]->cpu_data();
  Dtype* top_data = top[0]->mutable_cpu_data();
  const int classes = bottom[0]->shape(softmax_axis_), inner = inner_num_;
  ForEachTask(outer_num_, 8 * classes * inner, [&](int outer) {
    const Dtype* x = bottom_data + outer * classes * inner;
    Dtype* y = top_data + outer * classes * inner;
    vector<Dtype> largest(x, x + inner), sum(inner, Dtype(0));
    for (int c = 1; c < classes; ++c) {
      for (int i = 0; i < inner; ++i) {
        largest[i] = std::max(largest[i], x[c * inner + i]);
      }
    }
    for (int c = 0; c < classes; ++c) {
      for (int i = 0; i < inner; ++i) {
        y[c * inner + i] = std::exp(x[c * inner + i] - largest[i]);
        sum[i] += y[c * inner + i];
      }
    }
    for (int c = 0; c < classes; ++c) {
      for (int i = 0; i < inner; ++i) {
        y[c * inner + i] /= sum[i];
      }
    }
  });
}

// dx = y (dy - sum over classes of dy y).
template <typename Dtype>
void SoftmaxLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *top_data = top[0]->cpu_data(), *top_diff = top[0]->cpu_diff();
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  const int classes = top[0]->shape(softmax_axis_), inner = inner_num_;
  ForEachTask(outer_num_, 4 * classes * inner, [&](int outer) {
    const Dtype *y = top_data + outer * classes * inner, *dy = top_diff + outer * classes * inner;
    Dtype* dx = bottom_diff + outer * classes * inner;
    vector<Dtype> dot(inner, Dtype(0));
    for (int c = 0; c < classes; ++c) {
      for (int i = 0; i < inner; ++i) {
        dot[i] += dy[c * inner + i] * y[c * inner + i];
      }
    }
    for (int c = 0; c < classes; ++c) {
      for (int i = 0; i < inner; ++i) {
        dx[c * inner + i] = y[c * inner + i] * (dy[c * inner + i] - dot[i]);
      }
    }
  });
}

INSTANTIATE_CLASS(SoftmaxLayer);
REGISTER_LAYER_CLASS(Softmax);

}  // namespace caffe
