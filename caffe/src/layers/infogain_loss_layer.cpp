#include "caffe/layers/infogain_loss_layer.hpp"

#include <algorithm>

#include "caffe/layers/softmax_layer.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/where.hpp"

namespace caffe {

template <typename Dtype>
void InfogainLossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::LayerSetUp(bottom, top);
  normalization_ = this->Normalization(LossParameter_NormalizationMode_VALID);
  if (bottom.size() < 3) {
    const string& source = this->layer_param_.infogain_loss_param().source();
    CAFFE_REQUIRE(!source.empty()) << "needs the infogain matrix: as bottom 2, or a file as source";
    BlobProto proto;
    ReadProtoFromBinaryFileOrDie(source, &proto);
    infogain_.FromProto(proto);
  }
  LayerParameter softmax_param;
  softmax_param.mutable_softmax_param()->set_axis(this->layer_param_.infogain_loss_param().axis());
  softmax_layer_ = std::make_shared<SoftmaxLayer<Dtype>>(softmax_param);
  softmax_top_vec_ = {&prob_};
}

template <typename Dtype>
void InfogainLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  infogain_axis_ = bottom[0]->CanonicalAxisIndex(this->layer_param_.infogain_loss_param().axis());
  softmax_bottom_vec_ = {bottom[0]};
  softmax_layer_->Reshape(softmax_bottom_vec_, softmax_top_vec_);
  outer_num_ = bottom[0]->count(0, infogain_axis_);
  inner_num_ = bottom[0]->count(infogain_axis_ + 1);
  num_labels_ = bottom[0]->shape(infogain_axis_);
  this->RequireLabels(bottom, outer_num_ * inner_num_);
  const Blob<Dtype>& matrix = bottom.size() > 2 ? *bottom[2] : infogain_;
  CAFFE_REQUIRE(matrix.count() == static_cast<int64_t>(num_labels_) * num_labels_)
      << "infogain matrix of shape " << matrix.shape_string() << ", expected " << num_labels_ << "x" << num_labels_;
  sum_rows_H_.Reshape({num_labels_});
  if (top.size() > 1) {
    top[1]->ReshapeLike(*bottom[0]);
  }
}

template <typename Dtype>
Dtype InfogainLossLayer<Dtype>::get_normalizer(LossParameter_NormalizationMode normalization_mode, int valid_count) {
  return this->Normalizer(normalization_mode, outer_num_, inner_num_, valid_count);
}

template <typename Dtype>
template <typename Where>
void InfogainLossLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  softmax_layer_->Forward(softmax_bottom_vec_, softmax_top_vec_);
  const int classes = num_labels_, inner = inner_num_;
  const int valid = this->CountLabels(*bottom[1], classes);
  const Dtype *prob = Where::Data(&prob_), *label = Where::Data(bottom[1]);
  const Dtype* matrix = Where::Data(bottom.size() > 2 ? bottom[2] : &infogain_);
  Dtype* row_sums = Where::MutableData(&sum_rows_H_);
  Where::template ReduceRows<SumOfRow>(
      classes, classes, [=] CAFFE_DEVICE(int row, int k) { return static_cast<double>(matrix[row * classes + k]); },
      [=] CAFFE_DEVICE(int row, double sum) { row_sums[row] = static_cast<Dtype>(sum); });
  const bool ignores = this->has_ignore_label_;
  const int ignored = this->ignore_label_;
  const double loss = Where::Sum(prob_.count(), [=] CAFFE_DEVICE(int i) {
    const int c = static_cast<int>(label[i / (classes * inner) * inner + i % inner]);
    if (ignores && c == ignored) return 0.0;
    const Dtype weight = matrix[c * classes + i / inner % classes];
    return -static_cast<double>(weight * std::log(std::max(prob[i], Dtype(kLOG_THRESHOLD))));
  });
  normalizer_ = get_normalizer(normalization_, valid);
  top[0]->mutable_cpu_data()[0] = static_cast<Dtype>(loss / normalizer_);
  if (top.size() > 1) top[1]->ShareData(prob_);
}

// dx[k] = (softmax[k] * (sum of row l of H) - H[l, k]) / normalizer.
template <typename Dtype>
template <typename Where>
void InfogainLossLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                          const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  CAFFE_REQUIRE(propagate_down.size() < 3 || !propagate_down[2])
      << this->type() << " has no gradient for its infogain matrix";
  if (!propagate_down[0]) return;
  const int classes = num_labels_, inner = inner_num_;
  const Dtype *prob = Where::Data(&prob_), *label = Where::Data(bottom[1]), *row_sums = Where::Data(&sum_rows_H_);
  const Dtype* matrix = Where::Data(bottom.size() > 2 ? bottom[2] : &infogain_);
  const Dtype slope = top[0]->cpu_diff()[0] / normalizer_;
  const bool ignores = this->has_ignore_label_;
  const int ignored = this->ignore_label_;
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(prob_.count(), [=] CAFFE_DEVICE(int i) {
    const int c = static_cast<int>(label[i / (classes * inner) * inner + i % inner]);
    const bool counts = !(ignores && c == ignored);
    dx[i] = counts ? slope * (prob[i] * row_sums[c] - matrix[c * classes + i / inner % classes]) : 0;
  });
}

CPU_AND_GPU(InfogainLossLayer);
INSTANTIATE_CLASS(InfogainLossLayer);
REGISTER_LAYER_CLASS(InfogainLoss);

}  // namespace caffe
