#include "caffe/layers/sigmoid_cross_entropy_loss_layer.hpp"

#include "caffe/util/where.hpp"

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
template <typename Where>
void SigmoidCrossEntropyLossLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom,
                                                    const vector<Blob<Dtype>*>& top) {
  sigmoid_layer_->Forward(sigmoid_bottom_vec_, sigmoid_top_vec_);
  const int count = bottom[0]->count(), ignored = this->ignore_label_;
  const bool ignores = this->has_ignore_label_;
  const Dtype *scores = Where::Data(bottom[0]), *targets = Where::Data(bottom[1]);
  const double loss = Where::Sum(count, [=] CAFFE_DEVICE(int i) {
    const Dtype x = scores[i], t = targets[i];
    if (ignores && static_cast<int>(t) == ignored) return 0.0;
    return static_cast<double>(std::log1p(std::exp(-std::abs(x))) + (x >= 0 ? (1 - t) * x : -t * x));
  });
  const double valid = Where::Sum(
      count, [=] CAFFE_DEVICE(int i) { return ignores && static_cast<int>(targets[i]) == ignored ? 0.0 : 1.0; });
  normalizer_ = get_normalizer(normalization_, static_cast<int>(valid));
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / normalizer_);
}

// dx = (p - t) / normalizer.
template <typename Dtype>
template <typename Where>
void SigmoidCrossEntropyLossLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top,
                                                     const vector<bool>& propagate_down,
                                                     const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) {
    return;
  }
  const int ignored = this->ignore_label_;
  const bool ignores = this->has_ignore_label_;
  const Dtype *p = Where::Data(sigmoid_output_.get()), *targets = Where::Data(bottom[1]);
  const Dtype slope = top[0]->cpu_diff()[0] / normalizer_;
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    dx[i] = ignores && static_cast<int>(targets[i]) == ignored ? 0 : slope * (p[i] - targets[i]);
  });
}

CPU_AND_GPU(SigmoidCrossEntropyLossLayer);
INSTANTIATE_CLASS(SigmoidCrossEntropyLossLayer);
REGISTER_LAYER_CLASS(SigmoidCrossEntropyLoss);

}  // namespace caffe
