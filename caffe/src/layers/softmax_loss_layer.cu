#include <cfloat>

#include "caffe/layers/softmax_loss_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void SoftmaxWithLossLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  softmax_layer_->Forward(softmax_bottom_vec_, softmax_top_vec_);
  const int positions = outer_num_ * inner_num_, classes = bottom[0]->shape(softmax_axis_), inner = inner_num_;
  const int valid = this->CountLabels(*bottom[1], classes);
  const Dtype *prob = Where::Data(&prob_), *label = Where::Data(bottom[1]);
  const bool ignores = this->has_ignore_label_;
  const int ignored = this->ignore_label_;
  const double loss = Where::Sum(positions, [=] CAFFE_DEVICE(int i) {
    const int c = static_cast<int>(label[i]);
    if (ignores && c == ignored) return 0.0;
    const Dtype p = prob[(i / inner * classes + c) * inner + i % inner];
    return -static_cast<double>(std::log(p > FLT_MIN ? p : static_cast<Dtype>(FLT_MIN)));
  });
  normalizer_ = get_normalizer(normalization_, valid);
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / normalizer_);
  if (top.size() > 1) top[1]->ShareData(prob_);
}

// dx = (softmax - one-hot label) / normalizer.
template <typename Dtype>
template <typename Where>
void SoftmaxWithLossLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                             const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  if (!propagate_down[0]) return;
  const int classes = bottom[0]->shape(softmax_axis_), inner = inner_num_;
  const Dtype *prob = Where::Data(&prob_), *label = Where::Data(bottom[1]);
  const Dtype slope = top[0]->cpu_diff()[0] / normalizer_;
  const bool ignores = this->has_ignore_label_;
  const int ignored = this->ignore_label_;
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(prob_.count(), [=] CAFFE_DEVICE(int i) {
    const int c = static_cast<int>(label[i / (classes * inner) * inner + i % inner]);
    dx[i] = ignores && c == ignored ? 0 : slope * (prob[i] - (i / inner % classes == c ? 1 : 0));
  });
}

REGISTER_GPU_FORM(SoftmaxWithLossLayer);

}  // namespace caffe
