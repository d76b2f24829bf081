#include "caffe/layers/conv_layer.hpp"

#include "caffe/util/convolution_geometry.hpp"

namespace caffe {

template <typename Dtype>
void ConvolutionLayer<Dtype>::compute_output_shape() {
  this->output_shape_.clear();
  for (int i = 0; i < this->num_spatial_axes_; ++i) {
    this->output_shape_.push_back(ConvolvedSize(this->input_shape(i + 1), this->kernel_shape_.cpu_data()[i],
                                                this->stride_.cpu_data()[i], this->pad_.cpu_data()[i],
                                                this->dilation_.cpu_data()[i]));
  }
}

template <typename Dtype>
void ConvolutionLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* weights = this->blobs_[0]->cpu_data();
  const Dtype* bias = this->bias_term_ ? this->blobs_[1]->cpu_data() : nullptr;
  for (size_t i = 0; i < bottom.size(); ++i) {
    this->forward_images(bottom[i]->cpu_data(), weights, bias, top[i]->mutable_cpu_data());
  }
}

template <typename Dtype>
void ConvolutionLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                           const vector<Blob<Dtype>*>& bottom) {
  const Dtype* weights = this->blobs_[0]->cpu_data();
  for (size_t i = 0; i < top.size(); ++i) {
    const Dtype* top_diff = top[i]->cpu_diff();
    const Dtype* bottom_data = bottom[i]->cpu_data();
    for (int n = 0; n < this->num_; ++n) {
      const Dtype* image_diff = top_diff + n * this->top_dim_;
      if (this->bias_term_ && this->param_propagate_down_[1]) {
        this->backward_cpu_bias(this->blobs_[1]->mutable_cpu_diff(), image_diff);
      }
      if (this->param_propagate_down_[0]) {
        this->weight_cpu_gemm(bottom_data + n * this->bottom_dim_, image_diff, this->blobs_[0]->mutable_cpu_diff());
      }
      if (propagate_down[i]) {
        this->backward_cpu_gemm(image_diff, weights, bottom[i]->mutable_cpu_diff() + n * this->bottom_dim_);
      }
    }
  }
}

INSTANTIATE_CLASS(ConvolutionLayer);
REGISTER_LAYER_CLASS(Convolution);

}  // namespace caffe
