// What convolution_param says of kernels and their steps, for the layers that read it.
#pragma once

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// kernel_size, stride (default 1), pad (0) and dilation (1), one value for each spatial axis: given once for all axes,
// or once for each, or in the _h and _w forms for two axes. The blobs receive the shape (num_spatial_axes), at least
// one value. Throws Error for what does not fit the number of axes, is given twice, or is 0 where it may not be.
void ReadConvolutionGeometry(const ConvolutionParameter& param, int num_spatial_axes, Blob<int>* kernel,
                             Blob<int>* stride, Blob<int>* pad, Blob<int>* dilation);

// Positions of the kernel along one axis; 0 where it does not fit. Throws Error for more than INT_MAX.
inline int ConvolvedSize(int image, int kernel, int stride, int pad, int dilation) {
  const std::int64_t free = image + 2LL * pad - (static_cast<std::int64_t>(dilation) * (kernel - 1) + 1);
  const std::int64_t size = free < 0 ? 0 : free / stride + 1;
  CAFFE_REQUIRE(size <= INT_MAX) << "an axis of " << size << " outputs (pad " << pad << ") is too large";
  return static_cast<int>(size);
}

// The same the other way round: what a Deconvolution makes of `image` positions; may be below 1.
inline int DeconvolvedSize(int image, int kernel, int stride, int pad, int dilation) {
  const std::int64_t extent = static_cast<std::int64_t>(dilation) * (kernel - 1) + 1;
  const std::int64_t size = static_cast<std::int64_t>(stride) * (image - 1) + extent - 2LL * pad;
  CAFFE_REQUIRE(size <= INT_MAX) << "an axis of " << size << " outputs (stride " << stride << ") is too large";
  return size < 0 ? 0 : static_cast<int>(size);
}

}  // namespace caffe
