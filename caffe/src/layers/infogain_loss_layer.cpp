#include "caffe/layers/infogain_loss_layer.hpp"

#include <algorithm>
#include <numeric>

#include "caffe/layers/softmax_layer.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/math_functions.hpp"

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
void InfogainLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  softmax_layer_->Forward(softmax_bottom_vec_, softmax_top_vec_);
  const Dtype *prob = prob_.cpu_data(), *labels = bottom[1]->cpu_data();
  const Dtype* matrix = (bottom.size() > 2 ? *bottom[2] : infogain_).cpu_data();
  for (int row = 0; row < num_labels_; ++row) {
    const Dtype* first = matrix + row * num_labels_;
    sum_rows_H_.mutable_cpu_data()[row] = std::accumulate(first, first + num_labels_, Dtype(0));
  }
  Dtype loss = 0;
  int valid = 0;
  for (int position = 0; position < outer_num_ * inner_num_; ++position) {
    if (this->Ignored(labels[position])) {
      continue;
    }
    const Dtype* weights = matrix + this->ClassOf(labels[position], num_labels_) * num_labels_;
    const Dtype* p = prob + position / inner_num_ * num_labels_ * inner_num_ + position % inner_num_;
    for (int k = 0; k < num_labels_; ++k) {
      loss -= weights[k] * std::log(std::max(p[k * inner_num_], Dtype(kLOG_THRESHOLD)));
    }
    ++valid;
  }
  normalizer_ = get_normalizer(normalization_, valid);
  top[0]->mutable_cpu_data()[0] = loss / normalizer_;
  if (top.size() > 1) {
    top[1]->ShareData(prob_);
  }
}

// dx[k] = (softmax[k] * (sum of row l of H) - H[l, k]) / normalizer.
template <typename Dtype>
void InfogainLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                            const vector<Blob<Dtype>*>& bottom) {
  this->RequireNoTargetGradient(propagate_down);
  CAFFE_REQUIRE(propagate_down.size() < 3 || !propagate_down[2])
      << this->type() << " has no gradient for its infogain matrix";
  if (!propagate_down[0]) {
    return;
  }
  const Dtype *prob = prob_.cpu_data(), *labels = bottom[1]->cpu_data(), *row_sums = sum_rows_H_.cpu_data();
  const Dtype* matrix = (bottom.size() > 2 ? *bottom[2] : infogain_).cpu_data();
  const Dtype slope = top[0]->cpu_diff()[0] / normalizer_;
  Dtype* bottom_diff = bottom[0]->mutable_cpu_diff();
  for (int position = 0; position < outer_num_ * inner_num_; ++position) {
    const int first = position / inner_num_ * num_labels_ * inner_num_ + position % inner_num_;
    const bool ignored = this->Ignored(labels[position]);
    const int label = ignored ? 0 : static_cast<int>(labels[position]);
    for (int k = 0; k < num_labels_; ++k) {
      const int i = first + k * inner_num_;
      bottom_diff[i] = ignored ? 0 : slope * (prob[i] * row_sums[label] - matrix[label * num_labels_ + k]);
    }
  }
}

INSTANTIATE_CLASS(InfogainLossLayer);
REGISTER_LAYER_CLASS(InfogainLoss);

}  // namespace caffe
