#include "caffe/layers/argmax_layer.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

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
void ArgMaxLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  const int candidates = has_axis_ ? bottom[0]->shape(axis_) : bottom[0]->count(1);
  const int stride = has_axis_ ? bottom[0]->count(axis_ + 1) : 1;
  vector<pair<Dtype, int>> ranked(candidates);
  for (int n = 0; n < bottom[0]->count() / candidates; ++n) {
    const int outer = n / stride, inner = n % stride;
    for (int c = 0; c < candidates; ++c) {
      const Dtype value = x[(outer * candidates + c) * stride + inner];
      ranked[c] = {std::isnan(value) ? -std::numeric_limits<Dtype>::infinity() : value, c};
    }
    std::partial_sort(ranked.begin(), ranked.begin() + top_k_, ranked.end(), std::greater<pair<Dtype, int>>());
    for (int k = 0; k < top_k_; ++k) {
      const int c = ranked[k].second;
      const Dtype index = static_cast<Dtype>(c), value = x[(outer * candidates + c) * stride + inner];
      if (has_axis_) {
        y[(outer * top_k_ + k) * stride + inner] = out_max_val_ ? value : index;
      } else if (out_max_val_) {
        y[2 * n * top_k_ + k] = index;
        y[(2 * n + 1) * top_k_ + k] = value;
      } else {
        y[n * top_k_ + k] = index;
      }
    }
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
