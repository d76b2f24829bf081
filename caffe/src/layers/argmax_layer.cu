#include "caffe/layers/argmax_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {
namespace gpu {

// What the next rank of each group of candidates is chosen from.
template <typename Dtype>
struct Candidates {
  int count, stride;
  const Dtype* x;
  bool all;                         // there was no rank before
  const double *value, *candidate;  // of the rank before

  CAFFE_DEVICE Dtype At(int group, int c) const { return x[(group / stride * count + c) * stride + group % stride]; }
  CAFFE_DEVICE double Ranked(int group, int c) const {
    const double x = At(group, c);
    return x >= -HUGE_VAL ? x : -HUGE_VAL;  // NaN
  }
  CAFFE_DEVICE bool IsLeft(int group, int c) const {
    const double ranked = Ranked(group, c);
    return all || ranked < value[group] || (ranked == value[group] && c < candidate[group]);
  }
};

}  // namespace gpu

// Rank by rank, each in two passes: the largest value that is left, then the last candidate that has it.
template <typename Dtype>
template <typename Where>
void ArgMaxLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = has_axis_ ? bottom[0]->shape(axis_) : bottom[0]->count(1);
  const int groups = bottom[0]->count() / count, top_k = top_k_;
  const int stride = has_axis_ ? bottom[0]->count(axis_ + 1) : 1;
  const bool has_axis = has_axis_, out_max_val = out_max_val_;
  Dtype* y = Where::MutableData(top[0]);
  double *largest = gpu::Scratch<double>(3 * groups), *value = largest + groups, *candidate = value + groups;
  gpu::Candidates<Dtype> candidates = {count, stride, Where::Data(bottom[0]), true, value, candidate};
  for (int k = 0; k < top_k; ++k, candidates.all = false) {
    Where::template ReduceRows<LargestOfRow>(
        groups, count,
        [=] CAFFE_DEVICE(int n, int c) {
          return candidates.IsLeft(n, c) ? candidates.Ranked(n, c) : LargestOfRow::Identity();
        },
        [=] CAFFE_DEVICE(int n, double found) { largest[n] = found; });
    Where::template ReduceRows<LargestOfRow>(
        groups, count,
        [=] CAFFE_DEVICE(int n, int c) {
          return candidates.IsLeft(n, c) && candidates.Ranked(n, c) == largest[n] ? c : -1.0;
        },
        [=] CAFFE_DEVICE(int n, double found) {
          value[n] = largest[n];
          candidate[n] = found;
          const Dtype index = static_cast<Dtype>(found), of_index = candidates.At(n, static_cast<int>(found));
          if (has_axis) {
            y[(n / stride * top_k + k) * stride + n % stride] = out_max_val ? of_index : index;
          } else if (out_max_val) {
            y[2 * n * top_k + k] = index;
            y[(2 * n + 1) * top_k + k] = of_index;
          } else {
            y[n * top_k + k] = index;
          }
        });
  }
}

template <typename Dtype>
template <typename Where>
void ArgMaxLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  Backward_cpu(top, propagate_down, bottom);
}

REGISTER_GPU_FORM(ArgMaxLayer);

}  // namespace caffe
