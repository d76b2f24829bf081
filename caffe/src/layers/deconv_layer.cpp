#include "caffe/layers/deconv_layer.hpp"

#include "caffe/util/convolution_geometry.hpp"

namespace caffe {

template <typename Dtype>
void DeconvolutionLayer<Dtype>::compute_output_shape() {
  this->output_shape_.clear();
  for (int i = 0; i < this->num_spatial_axes_; ++i) {
    this->output_shape_.push_back(DeconvolvedSize(this->input_shape(i + 1), this->kernel_shape_.cpu_data()[i],
                                                  this->stride_.cpu_data()[i], this->pad_.cpu_data()[i],
                                                  this->dilation_.cpu_data()[i]));
  }
}

template <typename Dtype>
void DeconvolutionLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const Dtype* weights = this->blobs_[0]->cpu_data();
  for (size_t i = 0; i < bottom.size(); ++i) {
    const Dtype* bottom_data = bottom[i]->cpu_data();
    Dtype* top_data = top[i]->mutable_cpu_data();
    for (int n = 0; n < this->num_; ++n) {
      this->backward_cpu_gemm(bottom_data + n * this->bottom_dim_, weights, top_data + n * this->top_dim_);
      if (this->bias_term_) {
        this->forward_cpu_bias(top_data + n * this->top_dim_, this->blobs_[1]->cpu_data());
      }
    }
  }
}

template <typename Dtype>
void DeconvolutionLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
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
        this->weight_cpu_gemm(image_diff, bottom_data + n * this->bottom_dim_, this->blobs_[0]->mutable_cpu_diff());
      }
      if (propagate_down[i]) {
        // The weight gradient has left the columns of image_diff in the buffer.
        this->forward_cpu_gemm(image_diff, weights, bottom[i]->mutable_cpu_diff() + n * this->bottom_dim_,
                               this->param_propagate_down_[0]);
      }
    }
  }
}

INSTANTIATE_CLASS(DeconvolutionLayer);
REGISTER_LAYER_CLASS(Deconvolution);

}  // namespace caffe
