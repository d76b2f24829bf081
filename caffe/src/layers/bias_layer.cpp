#include "caffe/layers/bias_layer.hpp"

#include "caffe/filler.hpp"
#include "caffe/util/broadcast.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void BiasLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (bottom.size() > 1) {
    return;
  }
  const BiasParameter& param = this->layer_param_.bias_param();
  const vector<int> shape = BroadcastShape(*bottom[0], param.axis(), param.num_axes());
  auto& blobs = this->blobs_;
  if (blobs.empty()) {
    blobs.push_back(std::make_shared<Blob<Dtype>>(shape));
    shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(param.filler()))->Fill(blobs[0].get());
  }
  CAFFE_REQUIRE(blobs.size() == 1 && blobs[0]->shape() == shape)
      << "has " << blobs.size() << " parameter blobs, the first of shape " << blobs[0]->shape_string()
      << ", expected one of " << Blob<Dtype>(shape).shape_string();
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void BiasLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& bias = bottom.size() > 1 ? *bottom[1] : *this->blobs_[0];
  axis_ = bias.num_axes() == 0 ? 0 : bottom[0]->CanonicalAxisIndex(this->layer_param_.bias_param().axis());
  RequireBroadcast(*bottom[0], bias, axis_);
  CAFFE_REQUIRE(bottom.size() == 1 || bottom[1] != top[0]) << "only bottom 0 may be the top";
  outer_dim_ = bottom[0]->count(0, axis_);
  bias_dim_ = bias.count();
  inner_dim_ = bottom[0]->count(axis_ + bias.num_axes());
  top[0]->ReshapeLike(*bottom[0]);
}

template <typename Dtype>
void BiasLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *x = bottom[0]->cpu_data(), *bias = (bottom.size() > 1 ? bottom[1] : this->blobs_[0].get())->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  ForEachTask(outer_dim_ * bias_dim_, inner_dim_, [&](int task) {
    const Dtype term = bias[task % bias_dim_];
    for (int i = task * inner_dim_; i < (task + 1) * inner_dim_; ++i) {
      y[i] = x[i] + term;
    }
  });
}

template <typename Dtype>
void BiasLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  const Dtype* dy = top[0]->cpu_diff();
  if (propagate_down[0] && bottom[0] != top[0]) {
    caffe_copy(bottom[0]->count(), dy, bottom[0]->mutable_cpu_diff());
  }
  const bool own_bias = bottom.size() == 1;
  if (own_bias ? !this->param_propagate_down_[0] : !propagate_down[1]) {
    return;
  }
  Dtype* bias_diff = (own_bias ? this->blobs_[0].get() : bottom[1])->mutable_cpu_diff();
  ForEachTask(bias_dim_, outer_dim_ * inner_dim_, [&](int d) {
    double sum = own_bias ? bias_diff[d] : 0;
    for (int outer = 0; outer < outer_dim_; ++outer) {
      const int first = (outer * bias_dim_ + d) * inner_dim_;
      for (int i = first; i < first + inner_dim_; ++i) {
        sum += dy[i];
      }
    }
    bias_diff[d] = static_cast<Dtype>(sum);
  });
}

INSTANTIATE_CLASS(BiasLayer);
REGISTER_LAYER_CLASS(Bias);

}  // namespace caffe
