#include "caffe/layers/im2col_layer.hpp"

#include "caffe/util/convolution_geometry.hpp"
#include "caffe/util/im2col.hpp"

namespace caffe {

template <typename Dtype>
void Im2colLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  channel_axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
  num_spatial_axes_ = bottom[0]->num_axes() - channel_axis_ - 1;
  CAFFE_REQUIRE(num_spatial_axes_ > 0) << "a bottom of shape " << bottom[0]->shape_string()
                                       << " has no spatial axis behind axis " << channel_axis_;
  ReadConvolutionGeometry(param, num_spatial_axes_, &kernel_shape_, &stride_, &pad_, &dilation_);
}

template <typename Dtype>
void Im2colLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  CAFFE_REQUIRE(bottom[0]->num_axes() == channel_axis_ + 1 + num_spatial_axes_)
      << "bottom of shape " << bottom[0]->shape_string() << ", expected " << channel_axis_ + 1 + num_spatial_axes_
      << " axes";
  vector<int> shape = bottom[0]->shape();
  channels_ = shape[channel_axis_];
  for (int i = 0; i < num_spatial_axes_; ++i) {
    const int kernel = kernel_shape_.cpu_data()[i];
    int& size = shape[channel_axis_ + 1 + i];
    size = ConvolvedSize(size, kernel, stride_.cpu_data()[i], pad_.cpu_data()[i], dilation_.cpu_data()[i]);
    CAFFE_REQUIRE(size > 0) << "kernel of " << kernel << " (dilation " << dilation_.cpu_data()[i] << ", pad "
                            << pad_.cpu_data()[i] << ") does not fit bottom of shape " << bottom[0]->shape_string();
    const int64_t rows = static_cast<int64_t>(shape[channel_axis_]) * kernel;
    CAFFE_REQUIRE(rows <= INT_MAX) << "a kernel of " << kernel << " (pad " << pad_.cpu_data()[i] << ") makes " << rows
                                   << " rows of a bottom of shape " << bottom[0]->shape_string() << ": too many";
    shape[channel_axis_] = static_cast<int>(rows);
  }
  top[0]->Reshape(shape);
  num_ = bottom[0]->count(0, channel_axis_);
  bottom_dim_ = bottom[0]->count(channel_axis_);
  top_dim_ = top[0]->count(channel_axis_);
}

template <typename Dtype>
void Im2colLayer<Dtype>::Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int* im_shape = bottom[0]->shape().data() + channel_axis_;
  const int* col_shape = top[0]->shape().data() + channel_axis_;
  for (int n = 0; n < num_; ++n) {
    im2col_nd_cpu(bottom[0]->cpu_data() + static_cast<int64_t>(n) * bottom_dim_, num_spatial_axes_, im_shape, col_shape,
                  kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(), dilation_.cpu_data(),
                  top[0]->mutable_cpu_data() + static_cast<int64_t>(n) * top_dim_);
  }
}

template <typename Dtype>
void Im2colLayer<Dtype>::Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                      const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) {
    return;
  }
  const int* im_shape = bottom[0]->shape().data() + channel_axis_;
  const int* col_shape = top[0]->shape().data() + channel_axis_;
  for (int n = 0; n < num_; ++n) {
    col2im_nd_cpu(top[0]->cpu_diff() + static_cast<int64_t>(n) * top_dim_, num_spatial_axes_, im_shape, col_shape,
                  kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(), dilation_.cpu_data(),
                  bottom[0]->mutable_cpu_diff() + static_cast<int64_t>(n) * bottom_dim_);
  }
}

INSTANTIATE_CLASS(Im2colLayer);
REGISTER_LAYER_CLASS(Im2col);

}  // namespace caffe
