#include "caffe/layers/embed_layer.hpp"

#include "caffe/filler.hpp"
#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void EmbedLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const EmbedParameter& param = this->layer_param_.embed_param();
  N_ = static_cast<int>(param.num_output());
  K_ = static_cast<int>(param.input_dim());
  bias_term_ = param.bias_term();
  CAFFE_REQUIRE(N_ > 0) << "embed_param needs num_output of at least 1";
  CAFFE_REQUIRE(K_ > 0) << "embed_param needs input_dim of at least 1";
  auto& blobs = this->blobs_;
  if (blobs.empty()) {
    blobs.push_back(std::make_shared<Blob<Dtype>>(vector<int>{K_, N_}));
    shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(param.weight_filler()))->Fill(blobs[0].get());
    if (bias_term_) {
      blobs.push_back(std::make_shared<Blob<Dtype>>(vector<int>{N_}));
      shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(param.bias_filler()))->Fill(blobs[1].get());
    }
  }
  CAFFE_REQUIRE(blobs.size() == (bias_term_ ? 2u : 1u))
      << "has " << blobs.size() << " parameter blobs, expected " << (bias_term_ ? 2 : 1);
  CAFFE_REQUIRE(blobs[0]->shape() == (vector<int>{K_, N_}))
      << "weights of shape " << blobs[0]->shape_string() << ", expected " << K_ << "x" << N_;
  CAFFE_REQUIRE(!bias_term_ || blobs[1]->shape() == vector<int>{N_})
      << "bias of shape " << blobs[1]->shape_string() << ", expected " << N_;
  this->param_propagate_down_.resize(blobs.size(), true);
}

template <typename Dtype>
void EmbedLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  M_ = bottom[0]->count();
  vector<int> shape = bottom[0]->shape();
  shape.push_back(N_);
  top[0]->Reshape(shape);
}

template <typename Dtype>
void EmbedLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype *indices = bottom[0]->cpu_data(), *weights = this->blobs_[0]->cpu_data();
  Dtype* y = top[0]->mutable_cpu_data();
  for (int n = 0; n < M_; ++n) {
    CAFFE_REQUIRE(indices[n] >= 0 && indices[n] < K_ && indices[n] == std::floor(indices[n]))
        << "index " << indices[n] << " is no whole number in [0, " << K_ << ")";
    const Dtype* row = weights + static_cast<int64_t>(indices[n]) * N_;
    if (bias_term_) {
      caffe_add(N_, row, this->blobs_[1]->cpu_data(), y + n * N_);
    } else {
      caffe_copy(N_, row, y + n * N_);
    }
  }
}

template <typename Dtype>
void EmbedLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  CAFFE_REQUIRE(!propagate_down[0]) << "Embed has no gradient by its index";
  const Dtype *dy = top[0]->cpu_diff(), *indices = bottom[0]->cpu_data();
  const bool want_bias = bias_term_ && this->param_propagate_down_[1];
  Dtype* weight_diff = this->param_propagate_down_[0] ? this->blobs_[0]->mutable_cpu_diff() : nullptr;
  Dtype* bias_diff = want_bias ? this->blobs_[1]->mutable_cpu_diff() : nullptr;
  for (int n = 0; n < M_; ++n) {
    if (weight_diff) {
      caffe_axpy(N_, Dtype(1), dy + n * N_, weight_diff + static_cast<int64_t>(indices[n]) * N_);
    }
    if (bias_diff) {
      caffe_axpy(N_, Dtype(1), dy + n * N_, bias_diff);
    }
  }
}

INSTANTIATE_CLASS(EmbedLayer);
REGISTER_LAYER_CLASS(Embed);

}  // namespace caffe
