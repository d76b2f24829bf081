#include "caffe/layers/scale_layer.hpp"

#include "caffe/filler.hpp"
#include "caffe/util/broadcast.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
vector<int> ScaleLayer<Dtype>::ParameterShape(const Blob<Dtype>& bottom) const {
  const ScaleParameter& param = this->layer_param_.scale_param();
  return BroadcastShape(bottom, param.axis(), param.num_axes());
}

template <typename Dtype>
void ScaleLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ScaleParameter& param = this->layer_param_.scale_param();
  bias_term_ = param.bias_term();
  auto& blobs = this->blobs_;
  const bool own_scale = bottom.size() == 1;
  const vector<int> shape = own_scale ? ParameterShape(*bottom[0]) : bottom[1]->shape();
  const size_t expected = own_scale + bias_term_;
  if (!blobs.empty()) {
    CAFFE_REQUIRE(blobs.size() == expected) << "has " << blobs.size() << " parameter blobs, expected " << expected;
    for (const auto& blob : blobs) {
      CAFFE_REQUIRE(blob->shape() == shape)
          << "parameter of shape " << blob->shape_string() << ", expected " << Blob<Dtype>(shape).shape_string();
    }
  } else {
    FillerParameter scale_filler = param.filler();
    if (!param.has_filler()) {
      scale_filler.set_type("constant");
      scale_filler.set_value(1);
    }
    for (size_t i = 0; i < expected; ++i) {
      blobs.push_back(std::make_shared<Blob<Dtype>>(shape));
      const bool is_scale = own_scale && i == 0;
      shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(is_scale ? scale_filler : param.bias_filler()))->Fill(blobs[i].get());
    }
  }
  this->param_propagate_down_.resize(blobs.size(), true);
}

template <typename Dtype>
void ScaleLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Blob<Dtype>& scale = bottom.size() > 1 ? *bottom[1] : *this->blobs_[0];
  axis_ = scale.num_axes() == 0 ? 0 : bottom[0]->CanonicalAxisIndex(this->layer_param_.scale_param().axis());
  RequireBroadcast(*bottom[0], scale, axis_);
  CAFFE_REQUIRE(!bias_term_ || this->blobs_.back()->shape() == scale.shape())
      << "bias of shape " << this->blobs_.back()->shape_string() << " for a scale of shape " << scale.shape_string();
  CAFFE_REQUIRE(bottom.size() == 1 || bottom[1] != top[0]) << "only bottom 0 may be the top";
  outer_dim_ = bottom[0]->count(0, axis_);
  scale_dim_ = scale.count();
  inner_dim_ = bottom[0]->count(axis_ + scale.num_axes());
  if (bottom[0] == top[0]) {
    temp_.ReshapeLike(*bottom[0]);
  } else {
    top[0]->ReshapeLike(*bottom[0]);
  }
}

template <typename Dtype>
void ScaleLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* x = bottom[0]->cpu_data();
  if (bottom[0] == top[0]) {
    caffe_copy(bottom[0]->count(), x, temp_.mutable_cpu_data());
  }
  const Dtype* scale = (bottom.size() > 1 ? bottom[1] : this->blobs_[0].get())->cpu_data();
  const Dtype* bias = bias_term_ ? this->blobs_.back()->cpu_data() : nullptr;
  Dtype* y = top[0]->mutable_cpu_data();
  ForEachTask(outer_dim_ * scale_dim_, inner_dim_, [&](int task) {
    const Dtype factor = scale[task % scale_dim_], term = bias ? bias[task % scale_dim_] : 0;
    for (int i = task * inner_dim_; i < (task + 1) * inner_dim_; ++i) {
      y[i] = x[i] * factor + term;
    }
  });
}

template <typename Dtype>
void ScaleLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  const bool own_scale = bottom.size() == 1;
  Blob<Dtype>* scale = own_scale ? this->blobs_[0].get() : bottom[1];
  const Dtype* dy = top[0]->cpu_diff();
  const Dtype* x = (bottom[0] == top[0] ? temp_ : *bottom[0]).cpu_data();
  const bool want_scale = own_scale ? this->param_propagate_down_[0] : propagate_down[1];
  const bool want_bias = bias_term_ && this->param_propagate_down_.back();
  Dtype* scale_diff = want_scale ? scale->mutable_cpu_diff() : nullptr;
  Dtype* bias_diff = want_bias ? this->blobs_.back()->mutable_cpu_diff() : nullptr;
  ForEachTask(want_scale || want_bias ? scale_dim_ : 0, outer_dim_ * inner_dim_, [&](int d) {
    double dot = 0, sum = 0;
    for (int outer = 0; outer < outer_dim_; ++outer) {
      const int first = (outer * scale_dim_ + d) * inner_dim_;
      dot += SumOf(inner_dim_, [=](int i) { return static_cast<double>(dy[first + i] * x[first + i]); });
      sum += SumOf(inner_dim_, [=](int i) { return static_cast<double>(dy[first + i]); });
    }
    if (scale_diff) {
      scale_diff[d] = static_cast<Dtype>(dot + (own_scale ? scale_diff[d] : 0));
    }
    if (bias_diff) {
      bias_diff[d] += static_cast<Dtype>(sum);
    }
  });
  if (propagate_down[0]) {
    Dtype* dx = bottom[0]->mutable_cpu_diff();
    const Dtype* scale_data = scale->cpu_data();
    ForEachTask(outer_dim_ * scale_dim_, inner_dim_, [&](int task) {
      const Dtype factor = scale_data[task % scale_dim_];
      for (int i = task * inner_dim_; i < (task + 1) * inner_dim_; ++i) {
        dx[i] = dy[i] * factor;
      }
    });
  }
}

INSTANTIATE_CLASS(ScaleLayer);
REGISTER_LAYER_CLASS(Scale);

}  // namespace caffe
