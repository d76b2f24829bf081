#include "caffe/layers/dropout_layer.hpp"

#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void DropoutLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  threshold_ = this->layer_param_.dropout_param().dropout_ratio();
  CAFFE_REQUIRE(threshold_ >= 0 && threshold_ < 1) << "dropout_ratio is " << threshold_ << ", expected [0, 1)";
  scale_ = 1 / (1 - threshold_);
}

template <typename Dtype>
void DropoutLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  NeuronLayer<Dtype>::Reshape(bottom, top);
  rand_vec_.Reshape(bottom[0]->shape());
}

template <typename Dtype>
void DropoutLayer<Dtype>::ApplyMask(int count, const Dtype* in, Dtype* out) const {
  const unsigned int* kept = rand_vec_.cpu_data();
  const Dtype scale = scale_;
  ForEachElement(count, [=](int i) {
    const Dtype scaled = in[i] * scale;  // in any case: a load that depends on a condition is none of a vector's
    out[i] = kept[i] ? scaled : 0;
  });
}

template <typename Dtype>
void DropoutLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  if (this->phase_ == TRAIN) {
    caffe_rng_bernoulli<Dtype>(count, 1 - threshold_, rand_vec_.mutable_cpu_data());
    ApplyMask(count, bottom[0]->cpu_data(), top[0]->mutable_cpu_data());
  } else if (bottom[0] != top[0]) {
    caffe_copy(count, bottom[0]->cpu_data(), top[0]->mutable_cpu_data());
  }
}

template <typename Dtype>
void DropoutLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                       const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const int count = bottom[0]->count();
  if (this->phase_ == TRAIN) {
    ApplyMask(count, top[0]->cpu_diff(), bottom[0]->mutable_cpu_diff());
  } else if (bottom[0] != top[0]) {
    caffe_copy(count, top[0]->cpu_diff(), bottom[0]->mutable_cpu_diff());
  }
}

INSTANTIATE_CLASS(DropoutLayer);
REGISTER_LAYER_CLASS(Dropout);

}  // namespace caffe
