#include "caffe/layers/contrastive_loss_layer.hpp"

#include <algorithm>

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void ContrastiveLossLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  LossLayer<Dtype>::Reshape(bottom, top);
  CAFFE_REQUIRE(bottom[0]->count() == bottom[1]->count())
      << "vectors of shapes " << bottom[0]->shape_string() << " and " << bottom[1]->shape_string()
      << ", expected as many values in both";
  CAFFE_REQUIRE(bottom[2]->count() == bottom[0]->shape(0))
      << "bottom 2 of shape " << bottom[2]->shape_string() << ", expected one value for each of the "
      << bottom[0]->shape(0) << " pairs";
  diff_.ReshapeLike(*bottom[0]);
  dist_sq_.Reshape({bottom[0]->shape(0)});
}

template <typename Dtype>
void ContrastiveLossLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ContrastiveLossParameter& param = this->layer_param_.contrastive_loss_param();
  const Dtype margin = param.margin();
  const Dtype* alike = bottom[2]->cpu_data();
  const int num = bottom[0]->shape(0), size = bottom[0]->count(1);
  caffe_sub(diff_.count(), bottom[0]->cpu_data(), bottom[1]->cpu_data(), diff_.mutable_cpu_data());
  Dtype loss = 0;
  for (int n = 0; n < num; ++n) {
    const Dtype* diff = diff_.cpu_data() + n * size;
    const Dtype squared = caffe_cpu_dot(size, diff, diff);
    dist_sq_.mutable_cpu_data()[n] = squared;
    if (static_cast<int>(alike[n])) {
      loss += squared;
    } else if (param.legacy_version()) {
      loss += std::max(margin - squared, Dtype(0));
    } else {
      const Dtype missing = std::max(margin - std::sqrt(squared), Dtype(0));
      loss += missing * missing;
    }
  }
  top[0]->mutable_cpu_data()[0] = loss / std::max(num, 1) / 2;
}

// With g = top gradient / N and d = a - b: g d for pairs alike; for others within the margin -g d (legacy) or
// -g d (margin - |d|) / |d|; the opposite for b.
template <typename Dtype>
void ContrastiveLossLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                               const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[2]) << this->type() << " has no gradient for its labels";
  const ContrastiveLossParameter& param = this->layer_param_.contrastive_loss_param();
  const Dtype margin = param.margin();
  const Dtype* alike = bottom[2]->cpu_data();
  const int num = bottom[0]->shape(0), size = bottom[0]->count(1);
  for (int i = 0; i < 2; ++i) {
    if (!propagate_down[i]) {
      continue;
    }
    const Dtype slope = (i == 0 ? 1 : -1) * top[0]->cpu_diff()[0] / std::max(num, 1);
    for (int n = 0; n < num; ++n) {
      const Dtype squared = dist_sq_.cpu_data()[n], distance = std::sqrt(squared);
      Dtype factor = 1;
      if (!static_cast<int>(alike[n])) {
        if (param.legacy_version()) {
          factor = squared < margin ? -1 : 0;
        } else {
          // At distance 0 every direction is as good as another: none.
          factor = distance < margin && distance > 0 ? -(margin - distance) / distance : 0;
        }
      }
      caffe_cpu_scale(size, slope * factor, diff_.cpu_data() + n * size, bottom[i]->mutable_cpu_diff() + n * size);
    }
  }
}

INSTANTIATE_CLASS(ContrastiveLossLayer);
REGISTER_LAYER_CLASS(ContrastiveLoss);

}  // namespace caffe
