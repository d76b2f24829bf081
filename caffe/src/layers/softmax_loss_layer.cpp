#include "caffe/layers/softmax_loss_layer.hpp"

#include <algorithm>
#include <limits>

#include "caffe/layers/softmax_layer.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::LayerSetUp(bottom, top);
  normalization_ = this->Normalization(LossParameter_NormalizationMode_VALID);
  LayerParameter softmax_param;
  *softmax_param.mutable_softmax_param() = this->layer_param_.softmax_param();
  softmax_layer_ = std::make_shared<SoftmaxLayer<Dtype>>(softmax_param);
  softmax_top_vec_ = {&prob_};
}

template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  softmax_bottom_vec_ = {bottom[0]};
  softmax_layer_->Reshape(softmax_bottom_vec_, softmax_top_vec_);
  softmax_axis_ = bottom[0]->CanonicalAxisIndex(this->layer_param_.softmax_param().axis());
  outer_num_ = bottom[0]->count(0, softmax_axis_);
  inner_num_ = bottom[0]->count(softmax_axis_ + 1);
  this->RequireLabels(bottom, outer_num_ * inner_num_);
  if (top.size() > 1) {
    top[1]->ReshapeLike(*bottom[0]);
  }
}

template <typename Dtype>
Dtype SoftmaxWithLossLayer<Dtype>::get_normalizer(LossParameter_NormalizationMode normalization_mode, int valid_count) {
  return this->Normalizer(normalization_mode, outer_num_, inner_num_, valid_count);
}

template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  softmax_layer_->Forward(softmax_bottom_vec_, softmax_top_vec_);
  const Dtype *prob = prob_.cpu_data(), *label = bottom[1]->cpu_data();
  const int classes = bottom[0]->shape(softmax_axis_);
  const int valid = this->CountLabels(*bottom[1], classes);
  Dtype loss = 0;
  for (int outer = 0; outer < outer_num_; ++outer) {
    for (int inner = 0; inner < inner_num_; ++inner) {
      const Dtype value = label[outer * inner_num_ + inner];
      if (this->Ignored(value)) continue;
      const Dtype p = prob[(outer * classes + static_cast<int>(value)) * inner_num_ + inner];
      loss -= std::log(std::max(p, static_cast<Dtype>(std::numeric_limits<float>::min())));
    }
  }
  normalizer_ = get_normalizer(normalization_, valid);
  top[0]->mutable_cpu_data()[0] = loss / normalizer_;
  if (top.size() > 1) {
    top[1]->ShareData(prob_);
  }
}

// dx = (softmax - one-hot label) / normalizer.
template <typename Dtype>
void SoftmaxWithLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                               const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) {
    return;
  }
  Dtype* diff = bottom[0]->mutable_cpu_diff();
  const Dtype* label = bottom[1]->cpu_data();
  const int classes = bottom[0]->shape(softmax_axis_);
  caffe_copy(prob_.count(), prob_.cpu_data(), diff);
  for (int outer = 0; outer < outer_num_; ++outer) {
    for (int inner = 0; inner < inner_num_; ++inner) {
      const Dtype value = label[outer * inner_num_ + inner];
      Dtype* position = diff + outer * classes * inner_num_ + inner;
      if (this->Ignored(value)) {
        for (int c = 0; c < classes; ++c) {
          position[c * inner_num_] = 0;
        }
      } else {
        position[static_cast<int>(value) * inner_num_] -= 1;
      }
    }
  }
  caffe_scal(prob_.count(), top[0]->cpu_diff()[0] / normalizer_, diff);
}

INSTANTIATE_CLASS(SoftmaxWithLossLayer);
REGISTER_LAYER_CLASS(SoftmaxWithLoss);

}  // namespace caffe
