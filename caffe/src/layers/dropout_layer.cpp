#include "caffe/layers/dropout_layer.hpp"

#include "caffe/util/where.hpp"

namespace caffe {
namespace {

template <typename Where, typename Dtype>
void ApplyMask(int count, const unsigned int* kept, Dtype scale, const Dtype* in, Dtype* out) {
  Where::ForEach(count, [=] CAFFE_DEVICE(int i) {
    const Dtype scaled = in[i] * scale;  // in any case: a load that depends on a condition is none of a vector's
    out[i] = kept[i] ? scaled : 0;
  });
}

}  // namespace

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
template <typename Where>
void DropoutLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int count = bottom[0]->count();
  if (this->phase_ == TRAIN) {
    unsigned int* kept = Where::MutableData(&rand_vec_);
    Where::template Bernoulli<Dtype>(count, 1 - threshold_, kept);
    ApplyMask<Where>(count, kept, scale_, Where::Data(bottom[0]), Where::MutableData(top[0]));
  } else if (bottom[0] != top[0]) {
    Where::Copy(count, Where::Data(bottom[0]), Where::MutableData(top[0]));
  }
}

template <typename Dtype>
template <typename Where>
void DropoutLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const int count = bottom[0]->count();
  if (this->phase_ == TRAIN) {
    ApplyMask<Where>(count, Where::Data(&rand_vec_), scale_, Where::Diff(top[0]), Where::MutableDiff(bottom[0]));
  } else if (bottom[0] != top[0]) {
    Where::Copy(count, Where::Diff(top[0]), Where::MutableDiff(bottom[0]));
  }
}

CPU_AND_GPU(DropoutLayer);
INSTANTIATE_CLASS(DropoutLayer);
REGISTER_LAYER_CLASS(Dropout);

}  // namespace caffe
