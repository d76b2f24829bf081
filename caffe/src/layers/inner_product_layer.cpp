#include "caffe/layers/inner_product_layer.hpp"

#include "caffe/filler.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {

template <typename Dtype>
void InnerProductLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  SetUpGeometry(bottom);
  SetUpBlobs();
}

template <typename Dtype>
void InnerProductLayer<Dtype>::SetUpGeometry(const vector<Blob<Dtype>*>& bottom) {
  const InnerProductParameter& param = this->layer_param_.inner_product_param();
  N_ = static_cast<int>(param.num_output());
  CAFFE_REQUIRE(N_ > 0) << "inner_product_param needs num_output of at least 1";
  bias_term_ = param.bias_term();
  transpose_ = param.transpose();
  K_ = bottom[0]->count(bottom[0]->CanonicalAxisIndex(param.axis()));
}

template <typename Dtype>
void InnerProductLayer<Dtype>::SetUpBlobs() {
  const InnerProductParameter& param = this->layer_param_.inner_product_param();
  const vector<int> weight_shape = transpose_ ? vector<int>{K_, N_} : vector<int>{N_, K_};
  auto& blobs = this->blobs_;
  if (!blobs.empty()) {
    CAFFE_REQUIRE(blobs.size() == (bias_term_ ? 2u : 1u))
        << "has " << blobs.size() << " parameter blobs, expected " << (bias_term_ ? 2 : 1);
    CAFFE_REQUIRE(blobs[0]->shape() == weight_shape) << "weights of shape " << blobs[0]->shape_string() << ", expected "
                                                     << weight_shape[0] << "x" << weight_shape[1];
    CAFFE_REQUIRE(!bias_term_ || blobs[1]->shape() == vector<int>{N_})
        << "bias of shape " << blobs[1]->shape_string() << ", expected " << N_;
  } else {
    blobs.push_back(std::make_shared<Blob<Dtype>>(weight_shape));
    shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(param.weight_filler()))->Fill(blobs[0].get());
    if (bias_term_) {
      blobs.push_back(std::make_shared<Blob<Dtype>>(vector<int>{N_}));
      shared_ptr<Filler<Dtype>>(GetFiller<Dtype>(param.bias_filler()))->Fill(blobs[1].get());
    }
  }
  this->param_propagate_down_.resize(blobs.size(), true);
}

template <typename Dtype>
void InnerProductLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int axis = bottom[0]->CanonicalAxisIndex(this->layer_param_.inner_product_param().axis());
  CAFFE_REQUIRE(bottom[0]->count(axis) == K_) << "bottom of shape " << bottom[0]->shape_string() << " has "
                                              << bottom[0]->count(axis) << " inputs, the weights are for " << K_;
  M_ = bottom[0]->count(0, axis);
  vector<int> top_shape(bottom[0]->shape().begin(), bottom[0]->shape().begin() + axis);
  top_shape.push_back(N_);
  top[0]->Reshape(top_shape);
  if (bias_term_) {
    bias_multiplier_.Reshape({M_});
    caffe_set(M_, Dtype(1), bias_multiplier_.mutable_cpu_data());
  }
}

template <typename Dtype>
void InnerProductLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  Dtype* top_data = top[0]->mutable_cpu_data();
  const Dtype *x = bottom[0]->cpu_data(), *weights = this->blobs_[0]->cpu_data();
  if (M_ == 1 && !transpose_) {
    // The time is that of reading the weights, which a matrix product would first copy.
    caffe_cpu_gemv<Dtype>(CblasNoTrans, N_, K_, 1, weights, x, 0, top_data);
  } else {
    caffe_cpu_gemm<Dtype>(CblasNoTrans, transpose_ ? CblasNoTrans : CblasTrans, M_, N_, K_, 1, x, weights, 0, top_data);
  }
  if (bias_term_) {
    const Dtype* bias = this->blobs_[1]->cpu_data();
    ForEachTask(M_, N_, [&](int row) { caffe_add(N_, top_data + row * N_, bias, top_data + row * N_); });
  }
}

template <typename Dtype>
void InnerProductLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                            const vector<Blob<Dtype>*>& bottom) {
  const Dtype* top_diff = top[0]->cpu_diff();
  const Dtype* bottom_data = bottom[0]->cpu_data();
  if (this->param_propagate_down_[0]) {
    Dtype* weight_diff = this->blobs_[0]->mutable_cpu_diff();
    if (transpose_) {
      caffe_cpu_gemm<Dtype>(CblasTrans, CblasNoTrans, K_, N_, M_, 1, bottom_data, top_diff, 1, weight_diff);
    } else {
      caffe_cpu_gemm<Dtype>(CblasTrans, CblasNoTrans, N_, K_, M_, 1, top_diff, bottom_data, 1, weight_diff);
    }
  }
  if (bias_term_ && this->param_propagate_down_[1]) {
    caffe_cpu_gemv<Dtype>(CblasTrans, M_, N_, 1, top_diff, bias_multiplier_.cpu_data(), 1,
                          this->blobs_[1]->mutable_cpu_diff());
  }
  if (propagate_down[0]) {
    caffe_cpu_gemm<Dtype>(CblasNoTrans, transpose_ ? CblasTrans : CblasNoTrans, M_, K_, N_, 1, top_diff,
                          this->blobs_[0]->cpu_data(), 0, bottom[0]->mutable_cpu_diff());
  }
}

INSTANTIATE_CLASS(InnerProductLayer);
REGISTER_LAYER_CLASS(InnerProduct);

}  // namespace caffe
