#include "caffe/layers/accuracy_layer.hpp"

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void AccuracyLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const AccuracyParameter& param = this->layer_param_.accuracy_param();
  top_k_ = static_cast<int>(param.top_k());
  CAFFE_REQUIRE(top_k_ > 0) << "accuracy_param: top_k must be at least 1";
  has_ignore_label_ = param.has_ignore_label();
  ignore_label_ = param.ignore_label();
}

template <typename Dtype>
void AccuracyLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  label_axis_ = bottom[0]->CanonicalAxisIndex(this->layer_param_.accuracy_param().axis());
  outer_num_ = bottom[0]->count(0, label_axis_);
  inner_num_ = bottom[0]->count(label_axis_ + 1);
  const int classes = bottom[0]->shape(label_axis_);
  CAFFE_REQUIRE(top_k_ <= classes) << "top_k " << top_k_ << " of " << classes << " classes";
  CAFFE_REQUIRE(outer_num_ * inner_num_ == bottom[1]->count())
      << "labels of shape " << bottom[1]->shape_string() << " for predictions of shape " << bottom[0]->shape_string()
      << ", expected " << outer_num_ * inner_num_ << " labels";
  top[0]->Reshape(vector<int>());
  if (top.size() > 1) {
    top[1]->Reshape({classes});
    nums_buffer_.Reshape({classes});
  }
}

template <typename Dtype>
void AccuracyLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *scores = bottom[0]->cpu_data(), *labels = bottom[1]->cpu_data();
  const int classes = bottom[0]->shape(label_axis_);
  const bool per_class = top.size() > 1;
  Dtype* class_hits = per_class ? top[1]->mutable_cpu_data() : nullptr;
  Dtype* class_count = per_class ? nums_buffer_.mutable_cpu_data() : nullptr;
  if (per_class) {
    caffe_set(classes, Dtype(0), class_hits);
    caffe_set(classes, Dtype(0), class_count);
  }
  int hits = 0, count = 0;
  for (int position = 0; position < outer_num_ * inner_num_; ++position) {
    const Dtype value = labels[position];
    if (has_ignore_label_ && static_cast<int>(value) == ignore_label_) {
      continue;
    }
    CAFFE_REQUIRE(value >= 0 && value < classes) << "label " << value << " is outside of [0, " << classes << ")";
    const int label = static_cast<int>(value);
    const Dtype* score = scores + position / inner_num_ * classes * inner_num_ + position % inner_num_;
    const Dtype own = score[label * inner_num_];
    int ahead = -1;  // its own score is never below itself
    for (int c = 0; c < classes && ahead < top_k_; ++c) {
      ahead += !(score[c * inner_num_] < own);  // so written, a NaN counts as ahead: a broken net has no hits
    }
    const bool hit = ahead < top_k_;
    hits += hit;
    ++count;
    if (per_class) {
      class_hits[label] += hit;
      class_count[label] += 1;
    }
  }
  top[0]->mutable_cpu_data()[0] = count == 0 ? 0 : static_cast<Dtype>(hits) / count;
  for (int c = 0; per_class && c < classes; ++c) {
    class_hits[c] = class_count[c] == 0 ? 0 : class_hits[c] / class_count[c];
  }
}

template <typename Dtype>
void AccuracyLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                        const vector<Blob<Dtype>*>& bottom) {
  for (bool asked : propagate_down) {
    CAFFE_REQUIRE(!asked) << "Accuracy has no gradient";
  }
}

INSTANTIATE_CLASS(AccuracyLayer);
REGISTER_LAYER_CLASS(Accuracy);

}  // namespace caffe
