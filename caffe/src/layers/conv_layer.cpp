#include "caffe/layers/conv_layer.hpp"

#include <type_traits>
#include <typeinfo>

#include "caffe/util/convolution_geometry.hpp"
#include "onednn_convolution.hpp"

namespace caffe {

template <typename Dtype>
bool ConvolutionLayer<Dtype>::OnednnShape(onednn::ConvolutionShape* shape) const {
  if (!std::is_same_v<Dtype, float> || this->num_spatial_axes_ != 2 || this->num_ == 0) return false;
  const auto& in = *this->bottom_shape_;
  const auto& kernel = this->blobs_[0]->shape();
  const int first = this->channel_axis_ + 1;
  shape->source = {this->num_, this->channels_, in[first], in[first + 1]};
  shape->result = {this->num_, this->num_output_, this->output_shape_[0], this->output_shape_[1]};
  shape->weights = {this->num_output_ / this->group_, kernel[1], kernel[2], kernel[3]};
  if (this->group_ > 1) shape->weights.insert(shape->weights.begin(), this->group_);
  for (int i = 0; i < 2; ++i) {
    shape->strides.push_back(this->stride_.cpu_data()[i]);
    shape->pads.push_back(this->pad_.cpu_data()[i]);
    shape->dilations.push_back(this->dilation_.cpu_data()[i] - 1);
  }
  return in[first] > 0 && in[first + 1] > 0;
}

template <typename Dtype>
template <typename Compute>
bool ConvolutionLayer<Dtype>::ByOnednn(Compute compute) {
  if constexpr (std::is_same_v<Dtype, float>) {
    onednn::ConvolutionShape shape;
    if (!OnednnShape(&shape)) return false;
    if (!onednn_) onednn_ = std::make_shared<onednn::Convolution>();
    try {
      compute(*onednn_, shape);
    } catch (const dnnl::error&) {
      return false;  // which it says before it computes anything
    }
    return true;
  }
  return false;
}

template <typename Dtype>
bool ConvolutionLayer<Dtype>::ForwardByOnednn(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& bottom,
                                              const vector<Blob<Dtype>*>& top) {
  return ByOnednn([&](auto& convolution, const auto& shape) {
    const bool keep_weights = this->phase_ == TEST;  // in training they change with every pass
    for (size_t i = 0; i < bottom.size(); ++i) {
      convolution.Forward(shape, this->blobs_, followers, keep_weights, bottom[i]->data().get(), top[i]->data().get());
    }
  });
}

template <typename Dtype>
bool ConvolutionLayer<Dtype>::ForwardWith(const Followers<Dtype>& followers, const vector<Blob<Dtype>*>& bottom,
                                          const vector<Blob<Dtype>*>& top) {
  if (typeid(*this) != typeid(ConvolutionLayer)) return false;
  this->Reshape(bottom, top);
  return ForwardByOnednn(followers, bottom, top);
}

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
  if (ForwardByOnednn({}, bottom, top)) return;
  const Dtype* weights = this->blobs_[0]->cpu_data();
  const Dtype* bias = this->bias_term_ ? this->blobs_[1]->cpu_data() : nullptr;
  for (size_t i = 0; i < bottom.size(); ++i) {
    this->forward_images(bottom[i]->cpu_data(), weights, bias, top[i]->mutable_cpu_data());
  }
}

template <typename Dtype>
void ConvolutionLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                           const vector<Blob<Dtype>*>& bottom) {
  const bool by_onednn = ByOnednn([&](auto& convolution, const auto& shape) {
    for (size_t i = 0; i < top.size(); ++i) {
      convolution.Backward(shape, this->blobs_, this->param_propagate_down_[0],
                           this->bias_term_ && this->param_propagate_down_[1], bottom[i]->data().get(),
                           top[i]->diff().get(), propagate_down[i] ? bottom[i]->diff().get() : nullptr);
    }
  });
  if (by_onednn) return;
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
