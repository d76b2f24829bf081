#include "caffe/layers/conv_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void ConvolutionLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* weights = Where::Data(this->blobs_[0].get());
  for (size_t i = 0; i < bottom.size(); ++i) {
    Dtype* y = Where::MutableData(top[i]);
    this->convolve_gpu(Where::Data(bottom[i]), weights, y);
    if (this->bias_term_) this->add_bias_gpu(Where::Data(this->blobs_[1].get()), y);
  }
}

template <typename Dtype>
template <typename Where>
void ConvolutionLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                         const vector<Blob<Dtype>*>& bottom) {
  for (size_t i = 0; i < top.size(); ++i) {
    const Dtype* dy = Where::Diff(top[i]);
    if (this->bias_term_ && this->param_propagate_down_[1]) {
      this->bias_gradient_gpu(dy, Where::MutableDiff(this->blobs_[1].get()));
    }
    if (this->param_propagate_down_[0]) {
      this->weight_gradient_gpu(Where::Data(bottom[i]), dy, Where::MutableDiff(this->blobs_[0].get()));
    }
    if (propagate_down[i]) {
      this->convolve_back_gpu(dy, Where::Data(this->blobs_[0].get()), Where::MutableDiff(bottom[i]));
    }
  }
}

REGISTER_GPU_FORM(ConvolutionLayer);
// For the crossbar layer, which is compiled elsewhere.
template void ConvolutionLayer<float>::BackwardOn<OnGpu>(const vector<Blob<float>*>&, const vector<bool>&,
                                                         const vector<Blob<float>*>&);
template void ConvolutionLayer<double>::BackwardOn<OnGpu>(const vector<Blob<double>*>&, const vector<bool>&,
                                                          const vector<Blob<double>*>&);

}  // namespace caffe
