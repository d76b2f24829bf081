#include "caffe/layers/argmax_layer.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "argmax_groups.hpp"

namespace caffe {

template <typename Dtype>
void ArgMaxLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ArgMaxParameter& param = this->layer_param_.argmax_param();
  out_max_val_ = param.out_max_val();
  top_k_ = static_cast<int>(param.top_k());
  has_axis_ = param.has_axis();
  CAFFE_REQUIRE(top_k_ >= 1) << "argmax_param: top_k must be at least 1";
}

template <typename Dtype>
void ArgMaxLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  vector<int> shape;
  int candidates;
  if (has_axis_) {
    axis_ = bottom[0]->CanonicalAxisIndex(this->layer_param_.argmax_param().axis());
    candidates = bottom[0]->shape(axis_);
    shape = bottom[0]->shape();
    shape[axis_] = top_k_;
  } else {
    candidates = bottom[0]->count(1);
    shape.assign(std::max(bottom[0]->num_axes(), 3), 1);
    shape[0] = bottom[0]->shape(0);
    shape[1] = out_max_val_ ? 2 : 1;
    shape[2] = top_k_;
  }
  CAFFE_REQUIRE(top_k_ <= candidates) << "argmax_param: top_k " << top_k_ << " of " << candidates << " values";
  top[0]->Reshape(shape);
}

template <typename Dtype>
ArgMaxGroups<Dtype> ArgMaxLayer<Dtype>::Groups(const Blob<Dtype>& bottom, const Dtype* x, Dtype* y) const {
  const int candidates = has_axis_ ? bottom.shape(axis_) : bottom.count(1);
  const int stride = has_axis_ ? bottom.count(axis_ + 1) : 1;
  return {candidates, stride, top_k_, has_axis_, out_max_val_, x, y};
}

template <typename Dtype>
void ArgMaxLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ArgMaxGroups<Dtype> groups = Groups(*bottom[0], bottom[0]->cpu_data(), top[0]->mutable_cpu_data());
  vector<pair<Dtype, int>> ranked(groups.candidates);
  for (int n = 0; n < bottom[0]->count() / groups.candidates; ++n) {
    for (int c = 0; c < groups.candidates; ++c) {
      const Dtype value = groups.At(n, c);
      ranked[c] = {std::isnan(value) ? -std::numeric_limits<Dtype>::infinity() : value, c};
    }
    std::partial_sort(ranked.begin(), ranked.begin() + top_k_, ranked.end(), std::greater<pair<Dtype, int>>());
    for (int k = 0; k < top_k_; ++k) groups.Store(n, k, ranked[k].second);
  }
}

template <typename Dtype>
void ArgMaxLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[0]) << "ArgMax has no gradient";
}

INSTANTIATE_CLASS(ArgMaxLayer);
REGISTER_LAYER_CLASS(ArgMax);

}  // namespace caffe
