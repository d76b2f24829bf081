// Convolution as a matrix product: the image unrolled into columns, and back.
#pragma once

namespace caffe {

// The column matrix has one row for every (channel, kernel position) and one column for every output position, both
// row-major. Entry = image value under that kernel position, 0 in the padding. Along each axis, output position o and
// kernel position k read image position o * stride - pad + k * dilation;
// outputs = (image + 2 pad - (dilation (kernel - 1) + 1)) / stride + 1.

// im_shape: channels, then the spatial axes; col_shape: rows, then the output axes. The other arrays hold one value for
// each spatial axis; num_spatial_axes >= 1.
template <typename Dtype>
void im2col_nd_cpu(const Dtype* data_im, int num_spatial_axes, const int* im_shape, const int* col_shape,
                   const int* kernel_shape, const int* pad, const int* stride, const int* dilation, Dtype* data_col);

// Two spatial axes.
template <typename Dtype>
void im2col_cpu(const Dtype* data_im, int channels, int height, int width, int kernel_h, int kernel_w, int pad_h,
                int pad_w, int stride_h, int stride_w, int dilation_h, int dilation_w, Dtype* data_col);

// The transposed operation: every image position receives the sum of the column entries that were copied from it.
// data_im is overwritten.
template <typename Dtype>
void col2im_nd_cpu(const Dtype* data_col, int num_spatial_axes, const int* im_shape, const int* col_shape,
                   const int* kernel_shape, const int* pad, const int* stride, const int* dilation, Dtype* data_im);
template <typename Dtype>
void col2im_cpu(const Dtype* data_col, int channels, int height, int width, int kernel_h, int kernel_w, int pad_h,
                int pad_w, int stride_h, int stride_w, int dilation_h, int dilation_w, Dtype* data_im);

}  // namespace caffe
