#include "caffe/layers/deconv_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

// The top is what the convolution reads, the bottom what it gives.
template <typename Dtype>
template <typename Where>
void DeconvolutionLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* weights = Where::Data(this->blobs_[0].get());
  for (size_t i = 0; i < bottom.size(); ++i) {
    Dtype* y = Where::MutableData(top[i]);
    this->convolve_back_gpu(Where::Data(bottom[i]), weights, y);
    if (this->bias_term_) this->add_bias_gpu(Where::Data(this->blobs_[1].get()), y);
  }
}

template <typename Dtype>
template <typename Where>
void DeconvolutionLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                           const vector<Blob<Dtype>*>& bottom) {
  for (size_t i = 0; i < top.size(); ++i) {
    const Dtype* dy = Where::Diff(top[i]);
    if (this->bias_term_ && this->param_propagate_down_[1]) {
      this->bias_gradient_gpu(dy, Where::MutableDiff(this->blobs_[1].get()));
    }
    if (this->param_propagate_down_[0]) {
      this->weight_gradient_gpu(dy, Where::Data(bottom[i]), Where::MutableDiff(this->blobs_[0].get()));
    }
    if (propagate_down[i]) {
      this->convolve_gpu(dy, Where::Data(this->blobs_[0].get()), Where::MutableDiff(bottom[i]));
    }
  }
}

REGISTER_GPU_FORM(DeconvolutionLayer);

}  // namespace caffe
