#include "argmax_groups.hpp"
#include "caffe/layers/argmax_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {
namespace gpu {

// What the next rank of each group is chosen from.
template <typename Dtype>
struct LeftToRank {
  ArgMaxGroups<Dtype> groups;
  bool all;                         // there was no rank before
  const double *value, *candidate;  // of the rank before

  CAFFE_DEVICE double Ranked(int group, int c) const {
    const double x = groups.At(group, c);
    return x >= -HUGE_VAL ? x : -HUGE_VAL;  // NaN
  }
  CAFFE_DEVICE bool Has(int group, int c) const {
    const double ranked = Ranked(group, c);
    return all || ranked < value[group] || (ranked == value[group] && c < candidate[group]);
  }
};

}  // namespace gpu

// Rank by rank, each in two passes: the largest value that is left, then the last candidate that has it.
template <typename Dtype>
template <typename Where>
void ArgMaxLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ArgMaxGroups<Dtype> groups = Groups(*bottom[0], Where::Data(bottom[0]), Where::MutableData(top[0]));
  const int count = bottom[0]->count() / groups.candidates;
  double *largest = gpu::Scratch<double>(3 * count), *value = largest + count, *candidate = value + count;
  gpu::LeftToRank<Dtype> left = {groups, true, value, candidate};
  for (int k = 0; k < top_k_; ++k, left.all = false) {
    Where::template ReduceRows<LargestOfRow>(
        count, groups.candidates,
        [=] CAFFE_DEVICE(int n, int c) { return left.Has(n, c) ? left.Ranked(n, c) : LargestOfRow::Identity(); },
        [=] CAFFE_DEVICE(int n, double found) { largest[n] = found; });
    Where::template ReduceRows<LargestOfRow>(
        count, groups.candidates,
        [=] CAFFE_DEVICE(int n, int c) { return left.Has(n, c) && left.Ranked(n, c) == largest[n] ? c : -1.0; },
        [=] CAFFE_DEVICE(int n, double found) {
          value[n] = largest[n];
          candidate[n] = found;
          groups.Store(n, k, static_cast<int>(found));
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
