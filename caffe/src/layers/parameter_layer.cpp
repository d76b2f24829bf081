#include "caffe/layers/parameter_layer.hpp"

#include "caffe/util/math_functions.hpp"

namespace caffe {

template <typename Dtype>
void ParameterLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  auto& blobs = this->blobs_;
  if (blobs.empty()) {
    blobs.push_back(std::make_shared<Blob<Dtype>>());
    blobs[0]->Reshape(this->layer_param_.parameter_param().shape());
  }
  CAFFE_REQUIRE(blobs.size() == 1) << "has " << blobs.size() << " parameter blobs, expected 1";
  this->param_propagate_down_.resize(1, true);
}

template <typename Dtype>
void ParameterLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  top[0]->ReshapeLike(*this->blobs_[0]);
  top[0]->ShareData(*this->blobs_[0]);
}

// Shared anew: weight sharing may have given the parameter other memory.
template <typename Dtype>
void ParameterLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  top[0]->ShareData(*this->blobs_[0]);
}

// Diffs are not shared: those of a parameter add up over several batches, those of a top do not.
template <typename Dtype>
void ParameterLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  if (this->param_propagate_down_[0]) {
    caffe_axpy(top[0]->count(), Dtype(1), top[0]->cpu_diff(), this->blobs_[0]->mutable_cpu_diff());
  }
}

INSTANTIATE_CLASS(ParameterLayer);
REGISTER_LAYER_CLASS(Parameter);

}  // namespace caffe
