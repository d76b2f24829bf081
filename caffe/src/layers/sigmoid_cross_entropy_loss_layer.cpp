#include "caffe/layers/sigmoid_cross_entropy_loss_layer.hpp"

#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom,
                                                     const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::LayerSetUp(bottom, top);
  normalization_ = this->Normalization(LossParameter_NormalizationMode_BATCH_SIZE);
  sigmoid_layer_ = std::make_shared<SigmoidLayer<Dtype>>(LayerParameter());
  sigmoid_output_ = std::make_shared<Blob<Dtype>>();
  sigmoid_top_vec_ = {sigmoid_output_.get()};
}

template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CAFFE_REQUIRE(bottom[0]->count() == bottom[1]->count())
      << "predictions of shape " << bottom[0]->shape_string() << " and targets of shape " << bottom[1]->shape_string()
      << ", expected as many values in both";
  outer_num_ = bottom[0]->shape(0);
  inner_num_ = bottom[0]->count(1);
  sigmoid_bottom_vec_ = {bottom[0]};
  sigmoid_layer_->Reshape(sigmoid_bottom_vec_, sigmoid_top_vec_);
}

template <typename Dtype>
Dtype SigmoidCrossEntropyLossLayer<Dtype>::get_normalizer(LossParameter_NormalizationMode normalization_mode,
                                                          int valid_count) {
  return this->Normalizer(normalization_mode, outer_num_, inner_num_, valid_count);
}

// With p = sigmoid(x): log p = -log(1 + exp(-x)) and log(1 - p) = log p - x, so the loss of one value is
// log(1 + exp(-x)) + (1 - t) x, for negative x log(1 + exp(x)) - t x.
template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom,
                                                      const vector<Blob<Dtype>*>& top) {
  sigmoid_layer_->Forward(sigmoid_bottom_vec_, sigmoid_top_vec_);
  const Dtype *scores = bottom[0]->cpu_data(), *targets = bottom[1]->cpu_data();
  double loss = 0;
  int valid = 0;
  for (int i = 0; i < bottom[0]->count(); ++i) {
    if (this->Ignored(targets[i])) {
      continue;
    }
    const Dtype x = scores[i], t = targets[i];
    loss += std::log1p(std::exp(-std::abs(x))) + (x >= 0 ? (1 - t) * x : -t * x);
    ++valid;
  }
  normalizer_ = get_normalizer(normalization_, valid);
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / normalizer_);
}

// dx = (p - t) / normalizer.
template <typename Dtype>
void SigmoidCrossEntropyLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top,
                                                       const vector<bool>& propagate_down,
                                                       const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *p = sigmoid_output_->cpu_data(), *targets = bottom[1]->cpu_data();
  const Dtype slope = top[0]->cpu_diff()[0] / normalizer_;
  Dtype* dx = bottom[0]->mutable_cpu_diff();
  ForEachElement(bottom[0]->count(),
                 [&](int i) { dx[i] = this->Ignored(targets[i]) ? 0 : slope * (p[i] - targets[i]); });
}

INSTANTIATE_CLASS(SigmoidCrossEntropyLossLayer);
REGISTER_LAYER_CLASS(SigmoidCrossEntropyLoss);

}  // namespace caffe
