#include "caffe/layers/accuracy_layer.hpp"

#include <algorithm>

#include "caffe/util/where.hpp"

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
  hits_.Reshape({outer_num_ * inner_num_});
  top[0]->Reshape(vector<int>());
  if (top.size() > 1) {
    top[1]->Reshape({classes});
    nums_buffer_.Reshape({classes});
  }
}

// Scores are read where they are; labels and hits, one for each position, are counted on the host.
template <typename Dtype>
template <typename Where>
void AccuracyLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int positions = outer_num_ * inner_num_, classes = bottom[0]->shape(label_axis_);
  const Dtype* labels = bottom[1]->cpu_data();
  vector<int> counted;
  for (int i = 0; i < positions; ++i) {
    const Dtype label = labels[i];
    if (has_ignore_label_ && static_cast<int>(label) == ignore_label_) continue;
    CAFFE_REQUIRE(label >= 0 && label < classes) << "label " << label << " is outside of [0, " << classes << ")";
    counted.push_back(i);
  }

  const Dtype *scores = Where::Data(bottom[0]), *label = Where::Data(bottom[1]);
  Dtype* hit = Where::MutableData(&hits_);
  const int inner = inner_num_, top_k = top_k_;
  Where::template ReduceRows<SumOfRow>(
      positions, classes,
      [=] CAFFE_DEVICE(int i, int c) -> double {
        const Dtype* score = scores + i / inner * classes * inner + i % inner;
        const int own = static_cast<int>(label[i]);
        const bool is_class = own >= 0 && own < classes;  // else it is one to ignore
        // So written, a NaN counts as ahead: a broken net has no hits.
        return is_class && c != own && !(score[c * inner] < score[own * inner]) ? 1 : 0;
      },
      [=] CAFFE_DEVICE(int i, double ahead) { hit[i] = ahead < top_k ? 1 : 0; });

  const Dtype* hits = hits_.cpu_data();
  const auto sum = std::count_if(counted.begin(), counted.end(), [&](int i) { return hits[i] != 0; });
  top[0]->mutable_cpu_data()[0] = counted.empty() ? 0 : static_cast<Dtype>(sum) / counted.size();
  if (top.size() > 1) {
    Dtype *of_class = top[1]->mutable_cpu_data(), *count = nums_buffer_.mutable_cpu_data();
    caffe_set(classes, Dtype(0), of_class);
    caffe_set(classes, Dtype(0), count);
    for (const int i : counted) {
      of_class[static_cast<int>(labels[i])] += hits[i];
      count[static_cast<int>(labels[i])] += 1;
    }
    for (int c = 0; c < classes; ++c) of_class[c] = count[c] == 0 ? 0 : of_class[c] / count[c];
  }
}

template <typename Dtype>
template <typename Where>
void AccuracyLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  for (bool asked : propagate_down) {
    CAFFE_REQUIRE(!asked) << "Accuracy has no gradient";
  }
}

CPU_AND_GPU(AccuracyLayer);
INSTANTIATE_CLASS(AccuracyLayer);
REGISTER_LAYER_CLASS(Accuracy);

}  // namespace caffe
