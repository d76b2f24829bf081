#include "caffe/layers/base_conv_layer.hpp"

#include <omp.h>

#include <algorithm>
#include <initializer_list>
#include <numeric>

#include "caffe/filler.hpp"
#include "caffe/util/convolution_geometry.hpp"
#include "caffe/util/im2col.hpp"
#include "caffe/util/math_functions.hpp"
#include "caffe/util/parallel.hpp"

namespace caffe {
namespace {

// The product of sizes; Error where no blob could be as large.
int SizeOf(const char* what, std::initializer_list<int> factors, const int* more = nullptr, int count = 0) {
  std::int64_t product = 1;
  const auto multiply = [&](int factor) {
    product *= factor;
    CAFFE_REQUIRE(product <= INT_MAX) << what << " of more than " << INT_MAX << " values are too large";
  };
  for (const int factor : factors) multiply(factor);
  std::for_each(more, more + count, multiply);
  return static_cast<int>(product);
}

string ShapeText(const vector<int>& shape) {
  ostringstream text;
  for (size_t i = 0; i < shape.size(); ++i) {
    text << (i ? "x" : "") << shape[i];
  }
  return text.str();
}

}  // namespace

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  SetUpGeometry(bottom);
  SetUpBlobs();
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::SetUpGeometry(const vector<Blob<Dtype>*>& bottom) {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  channel_axis_ = bottom[0]->CanonicalAxisIndex(param.axis());
  num_spatial_axes_ = bottom[0]->num_axes() - channel_axis_ - 1;

  ReadConvolutionGeometry(param, num_spatial_axes_, &kernel_shape_, &stride_, &pad_, &dilation_);
  force_nd_im2col_ = param.force_nd_im2col();

  is_1x1_ = true;
  for (int i = 0; i < num_spatial_axes_; ++i) {
    is_1x1_ = is_1x1_ && kernel_shape_.cpu_data()[i] == 1 && stride_.cpu_data()[i] == 1 && pad_.cpu_data()[i] == 0;
  }

  channels_ = bottom[0]->shape(channel_axis_);
  num_output_ = static_cast<int>(param.num_output());
  group_ = static_cast<int>(param.group());
  bias_term_ = param.bias_term();
  CAFFE_REQUIRE(num_output_ > 0) << "convolution_param needs num_output of at least 1";
  CAFFE_REQUIRE(group_ > 0) << "group must be at least 1";
  CAFFE_REQUIRE(channels_ % group_ == 0) << channels_ << " input channels cannot be divided into " << group_
                                         << " groups";
  CAFFE_REQUIRE(num_output_ % group_ == 0)
      << "num_output " << num_output_ << " cannot be divided into " << group_ << " groups";
  conv_out_channels_ = reverse_dimensions() ? channels_ : num_output_;
  conv_in_channels_ = reverse_dimensions() ? num_output_ : channels_;
  kernel_dim_ = SizeOf("kernels", {conv_in_channels_ / group_}, kernel_shape_.cpu_data(), num_spatial_axes_);
  weight_offset_ = SizeOf("weights", {conv_out_channels_ / group_, kernel_dim_});
  SizeOf("weights", {weight_offset_, group_});
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::SetUpBlobs() {
  const ConvolutionParameter& param = this->layer_param_.convolution_param();
  vector<vector<int>> shapes(1, {conv_out_channels_, conv_in_channels_ / group_});
  shapes[0].insert(shapes[0].end(), kernel_shape_.cpu_data(), kernel_shape_.cpu_data() + num_spatial_axes_);
  if (bias_term_) {
    shapes.push_back({num_output_});
  }
  auto& blobs = this->blobs_;
  if (!blobs.empty()) {
    CAFFE_REQUIRE(blobs.size() == shapes.size())
        << "has " << blobs.size() << " parameter blobs, expected " << shapes.size();
    for (size_t i = 0; i < shapes.size(); ++i) {
      CAFFE_REQUIRE(blobs[i]->shape() == shapes[i])
          << (i ? "bias" : "weights") << " of shape " << blobs[i]->shape_string() << ", expected "
          << ShapeText(shapes[i]);
    }
  } else {
    for (size_t i = 0; i < shapes.size(); ++i) {
      blobs.push_back(std::make_shared<Blob<Dtype>>(shapes[i]));
      shared_ptr<Filler<Dtype>> filler(GetFiller<Dtype>(i ? param.bias_filler() : param.weight_filler()));
      filler->Fill(blobs[i].get());
    }
  }
  this->param_propagate_down_.resize(blobs.size(), true);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const int first_spatial_axis = channel_axis_ + 1;
  CAFFE_REQUIRE(bottom[0]->num_axes() == first_spatial_axis + num_spatial_axes_)
      << "bottom of shape " << bottom[0]->shape_string() << ", expected " << first_spatial_axis + num_spatial_axes_
      << " axes";
  CAFFE_REQUIRE(bottom[0]->shape(channel_axis_) == channels_)
      << "bottom of shape " << bottom[0]->shape_string() << ", the weights are for " << channels_ << " channels";
  for (const Blob<Dtype>* other : bottom) {
    CAFFE_REQUIRE(other->shape() == bottom[0]->shape()) << "bottoms of shapes " << bottom[0]->shape_string() << " and "
                                                        << other->shape_string() << ", expected one shape for all";
  }
  num_ = bottom[0]->count(0, channel_axis_);
  bottom_shape_ = &bottom[0]->shape();
  compute_output_shape();
  for (int i = 0; i < num_spatial_axes_; ++i) {
    CAFFE_REQUIRE(output_shape_[i] > 0) << "kernel of " << kernel_shape_.cpu_data()[i] << " (dilation "
                                        << dilation_.cpu_data()[i] << ", pad " << pad_.cpu_data()[i]
                                        << ") does not fit bottom of shape " << bottom[0]->shape_string();
  }
  vector<int> top_shape(bottom_shape_->begin(), bottom_shape_->begin() + channel_axis_);
  top_shape.push_back(num_output_);
  top_shape.insert(top_shape.end(), output_shape_.begin(), output_shape_.end());
  for (Blob<Dtype>* blob : top) {
    blob->Reshape(top_shape);
  }
  out_spatial_dim_ = top[0]->count(first_spatial_axis);
  bottom_dim_ = bottom[0]->count(channel_axis_);
  top_dim_ = top[0]->count(channel_axis_);

  const Blob<Dtype>& conv_in = reverse_dimensions() ? *top[0] : *bottom[0];
  const Blob<Dtype>& conv_out = reverse_dimensions() ? *bottom[0] : *top[0];
  conv_out_spatial_dim_ = conv_out.count(first_spatial_axis);
  output_offset_ = conv_out_channels_ / group_ * conv_out_spatial_dim_;
  conv_input_shape_.Reshape({num_spatial_axes_ + 1});
  std::copy(conv_in.shape().begin() + channel_axis_, conv_in.shape().end(), conv_input_shape_.mutable_cpu_data());
  col_offset_ = SizeOf("columns of im2col", {kernel_dim_, conv_out_spatial_dim_});
  SizeOf("columns of im2col", {col_offset_, group_});
  col_buffer_shape_.assign(1, kernel_dim_ * group_);
  col_buffer_shape_.insert(col_buffer_shape_.end(), conv_out.shape().begin() + first_spatial_axis,
                           conv_out.shape().end());
  if (!is_1x1_) {
    col_buffer_.Reshape(col_buffer_shape_);
  }
}

template <typename Dtype>
template <typename ProductOfGroup>
void BaseConvolutionLayer<Dtype>::ForEachGroup(ProductOfGroup product) const {
  // Depthwise convolutions have as many groups as channels, each a product of a few thousand multiplications.
  constexpr int kManyGroups = 8;
  const int64_t work = group_ >= kManyGroups ? static_cast<int64_t>(weight_offset_) * conv_out_spatial_dim_ : 0;
  ForEachTask(group_, work, product);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::forward_cpu_gemm(const Dtype* input, const Dtype* weights, Dtype* output,
                                                   bool skip_im2col) {
  const Dtype* columns = input;
  if (!is_1x1_) {
    if (!skip_im2col) {
      conv_im2col_cpu(input, col_buffer_.mutable_cpu_data());
    }
    columns = col_buffer_.cpu_data();
  }
  MultiplyColumns(columns, weights, output);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::MultiplyColumns(const Dtype* columns, const Dtype* weights, Dtype* output) {
  ForEachGroup([&](int g) {
    caffe_cpu_gemm<Dtype>(CblasNoTrans, CblasNoTrans, conv_out_channels_ / group_, conv_out_spatial_dim_, kernel_dim_,
                          1, weights + weight_offset_ * g, columns + static_cast<int64_t>(col_offset_) * g, 0,
                          output + output_offset_ * g);
  });
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::forward_images(const Dtype* bottom, const Dtype* weights, const Dtype* bias,
                                                 Dtype* top) {
  const int threads = omp_in_parallel() ? 1 : omp_get_max_threads();
  if (threads == 1 || num_ < threads) {
    for (int64_t n = 0; n < num_; ++n) {
      forward_cpu_gemm(bottom + n * bottom_dim_, weights, top + n * top_dim_);
      if (bias != nullptr) forward_cpu_bias(top + n * top_dim_, bias);
    }
    return;
  }
  const size_t columns_size = is_1x1_ ? 0 : static_cast<size_t>(col_offset_) * group_;
#pragma omp parallel num_threads(threads)
  {
    // Shared by all layers that run in this thread; grows to the largest.
    thread_local vector<Dtype> columns;
    if (columns.size() < columns_size) columns.resize(columns_size);
#pragma omp for schedule(dynamic)
    for (int n = 0; n < num_; ++n) {
      const Dtype* image = bottom + static_cast<int64_t>(n) * bottom_dim_;
      Dtype* output = top + static_cast<int64_t>(n) * top_dim_;
      if (!is_1x1_) conv_im2col_cpu(image, columns.data());
      MultiplyColumns(is_1x1_ ? image : columns.data(), weights, output);
      if (bias != nullptr) forward_cpu_bias(output, bias);
    }
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::forward_cpu_bias(Dtype* output, const Dtype* bias) {
  ForEachTask(num_output_, out_spatial_dim_, [&](int c) {
    Dtype* plane = output + static_cast<int64_t>(c) * out_spatial_dim_;
    const Dtype value = bias[c];
    for (int i = 0; i < out_spatial_dim_; ++i) {
      plane[i] += value;
    }
  });
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::backward_cpu_gemm(const Dtype* output, const Dtype* weights, Dtype* input) {
  Dtype* columns = is_1x1_ ? input : col_buffer_.mutable_cpu_data();
  ForEachGroup([&](int g) {
    caffe_cpu_gemm<Dtype>(CblasTrans, CblasNoTrans, kernel_dim_, conv_out_spatial_dim_, conv_out_channels_ / group_, 1,
                          weights + weight_offset_ * g, output + output_offset_ * g, 0,
                          columns + static_cast<int64_t>(col_offset_) * g);
  });
  if (!is_1x1_) {
    conv_col2im_cpu(columns, input);
  }
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::weight_cpu_gemm(const Dtype* input, const Dtype* output, Dtype* weights) {
  const Dtype* columns = input;
  if (!is_1x1_) {
    conv_im2col_cpu(input, col_buffer_.mutable_cpu_data());
    columns = col_buffer_.cpu_data();
  }
  ForEachGroup([&](int g) {
    caffe_cpu_gemm<Dtype>(CblasNoTrans, CblasTrans, conv_out_channels_ / group_, kernel_dim_, conv_out_spatial_dim_, 1,
                          output + output_offset_ * g, columns + static_cast<int64_t>(col_offset_) * g, 1,
                          weights + weight_offset_ * g);
  });
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::backward_cpu_bias(Dtype* bias, const Dtype* input) {
  ForEachTask(num_output_, out_spatial_dim_, [&](int c) {
    const Dtype* plane = input + static_cast<int64_t>(c) * out_spatial_dim_;
    bias[c] += std::accumulate(plane, plane + out_spatial_dim_, Dtype(0));
  });
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::conv_im2col_cpu(const Dtype* data, Dtype* col_buff) {
  im2col_nd_cpu(data, num_spatial_axes_, conv_input_shape_.cpu_data(), col_buffer_shape_.data(),
                kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(), dilation_.cpu_data(), col_buff);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::conv_col2im_cpu(const Dtype* col_buff, Dtype* data) {
  col2im_nd_cpu(col_buff, num_spatial_axes_, conv_input_shape_.cpu_data(), col_buffer_shape_.data(),
                kernel_shape_.cpu_data(), pad_.cpu_data(), stride_.cpu_data(), dilation_.cpu_data(), data);
}

INSTANTIATE_CLASS(BaseConvolutionLayer);

}  // namespace caffe
