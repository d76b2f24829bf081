#include "caffe/layers/loss_layer.hpp"

#include <algorithm>

namespace caffe {

template <typename Dtype>
void LossLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  if (this->layer_param_.loss_weight_size() == 0) {
    for (size_t i = 0; i < top.size(); ++i) {
      this->layer_param_.add_loss_weight(i == 0 ? 1 : 0);
    }
  }
  has_ignore_label_ = this->layer_param_.loss_param().has_ignore_label();
  ignore_label_ = this->layer_param_.loss_param().ignore_label();
}

template <typename Dtype>
void LossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() > 0 && bottom[1]->num_axes() > 0 && bottom[0]->shape(0) == bottom[1]->shape(0))
      << "prediction of shape " << bottom[0]->shape_string() << " and target of shape " << bottom[1]->shape_string()
      << ", expected the same first dimension";
  top[0]->Reshape(vector<int>());
}

template <typename Dtype>
LossParameter_NormalizationMode LossLayer<Dtype>::Normalization(LossParameter_NormalizationMode otherwise) const {
  const LossParameter& param = this->layer_param_.loss_param();
  if (param.has_normalization()) {
    return param.normalization();
  }
  if (param.has_normalize()) {
    return param.normalize() ? LossParameter_NormalizationMode_VALID : LossParameter_NormalizationMode_BATCH_SIZE;
  }
  return otherwise;
}

template <typename Dtype>
Dtype LossLayer<Dtype>::Normalizer(LossParameter_NormalizationMode mode, int outer, int inner, int valid) {
  Dtype normalizer = 1;
  switch (mode) {
    case LossParameter_NormalizationMode_FULL:
      normalizer = static_cast<Dtype>(outer) * inner;
      break;
    case LossParameter_NormalizationMode_VALID:
      normalizer = valid < 0 ? static_cast<Dtype>(outer) * inner : valid;
      break;
    case LossParameter_NormalizationMode_BATCH_SIZE:
      normalizer = outer;
      break;
    case LossParameter_NormalizationMode_NONE:
      break;
  }
  return std::max(normalizer, Dtype(1));
}

template <typename Dtype>
void LossLayer<Dtype>::RequireNoTargetGradient(const vector<bool>& propagate_down) const {
  CAFFE_REQUIRE(propagate_down.size() < 2 || !propagate_down[1]) << this->type() << " has no gradient for its labels";
}

template <typename Dtype>
int LossLayer<Dtype>::ClassOf(Dtype label, int classes) {
  CAFFE_REQUIRE(label >= 0 && label < classes) << "label " << label << " is outside of [0, " << classes << ")";
  return static_cast<int>(label);
}

template <typename Dtype>
int LossLayer<Dtype>::CountLabels(const Blob<Dtype>& labels, int classes) const {
  // On the host, where labels mostly come from.
  const Dtype* label = labels.cpu_data();
  int valid = 0;
  for (int i = 0; i < labels.count(); ++i) {
    if (Ignored(label[i])) continue;
    ClassOf(label[i], classes);
    ++valid;
  }
  return valid;
}

template <typename Dtype>
void LossLayer<Dtype>::RequireLabels(const vector<Blob<Dtype>*>& bottom, int count) {
  CAFFE_REQUIRE(count == bottom[1]->count())
      << "labels of shape " << bottom[1]->shape_string() << " for predictions of shape " << bottom[0]->shape_string()
      << ", expected " << count << " labels";
}

INSTANTIATE_CLASS(LossLayer);

}  // namespace caffe
