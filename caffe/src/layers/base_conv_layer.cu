// Convolution on the GPU: by a library, or by im2col of as many images as fit, and one product of each group for all of
// them.
#include "caffe/layers/base_conv_layer.hpp"
#include "dnn_library.cuh"
#include "im2col.cuh"

namespace caffe {
namespace {

// Values of columns held at a time: 256 MiB of float.
constexpr int64_t kMostColumns = 1 << 26;

}  // namespace

template <typename Dtype>
template <typename Visit>
void BaseConvolutionLayer<Dtype>::ForEachColumnsOnGpu(Visit visit) {
  const int64_t image_columns = static_cast<int64_t>(col_offset_) * group_;
  const int together = static_cast<int>(std::max<int64_t>(std::min<int64_t>(kMostColumns / image_columns, num_), 1));
  Dtype* columns = is_1x1_ ? nullptr : gpu::Scratch<Dtype>(static_cast<int>(image_columns * together));
  for (int n = 0; n < num_; n += together) visit(n, std::min(together, num_ - n), columns);
}

template <typename Dtype>
template <typename Call>
bool BaseConvolutionLayer<Dtype>::ByLibraryOnGpu(Call call) {
  gpu::DnnLibrary<Dtype>* const library = gpu::DnnLibrary<Dtype>::of_build;
  const int axes = num_spatial_axes_;
  const bool own = this->layer_param_.convolution_param().engine() == ConvolutionParameter_Engine_CAFFE;
  if (library == nullptr || own || axes < 2 || axes > 3 || num_ == 0) return false;
  const auto sizes = [axes](const int* first) { return vector<int>(first, first + axes); };
  return call(*library,
              gpu::ConvolutionShape{num_, conv_in_channels_, conv_out_channels_, group_,
                                    sizes(conv_input_shape_.cpu_data() + 1), sizes(col_buffer_shape_.data() + 1),
                                    sizes(kernel_shape_.cpu_data()), sizes(pad_.cpu_data()), sizes(stride_.cpu_data()),
                                    sizes(dilation_.cpu_data())});
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::convolve_gpu(const Dtype* in, const Dtype* weights, Dtype* out) {
  if (ByLibraryOnGpu([&](auto& library, const auto& shape) { return library.Convolve(shape, in, weights, out); })) {
    return;
  }
  const gpu::WindowAxes axes = AxesOnGpu();
  const int64_t next_in = in_dim(), next_out = out_dim();
  ForEachColumnsOnGpu([&](int first, int images, Dtype* columns) {
    const Dtype* from = in + first * next_in;
    if (columns != nullptr) gpu::ImagesToColumns(axes, conv_in_channels_, images, from, next_in, columns);
    for (int g = 0; g < group_; ++g) {
      caffe_gpu_gemm_batch<Dtype>(CblasNoTrans, CblasNoTrans, conv_out_channels_ / group_, conv_out_spatial_dim_,
                                  kernel_dim_, 1, weights + weight_offset_ * g, 0,
                                  (columns != nullptr ? columns : from) + static_cast<int64_t>(col_offset_) * g,
                                  static_cast<int64_t>(col_offset_) * group_, 0,
                                  out + first * next_out + output_offset_ * g, next_out, images);
    }
  });
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::convolve_back_gpu(const Dtype* out, const Dtype* weights, Dtype* in) {
  if (ByLibraryOnGpu([&](auto& library, const auto& shape) { return library.ConvolveBack(shape, out, weights, in); })) {
    return;
  }
  const gpu::WindowAxes axes = AxesOnGpu();
  const int64_t next_in = in_dim(), next_out = out_dim();
  ForEachColumnsOnGpu([&](int first, int images, Dtype* columns) {
    Dtype* to = in + first * next_in;
    for (int g = 0; g < group_; ++g) {
      caffe_gpu_gemm_batch<Dtype>(CblasTrans, CblasNoTrans, kernel_dim_, conv_out_spatial_dim_,
                                  conv_out_channels_ / group_, 1, weights + weight_offset_ * g, 0,
                                  out + first * next_out + output_offset_ * g, next_out, 0,
                                  (columns != nullptr ? columns : to) + static_cast<int64_t>(col_offset_) * g,
                                  static_cast<int64_t>(col_offset_) * group_, images);
    }
    if (columns != nullptr) gpu::ColumnsToImages(axes, conv_in_channels_, images, columns, to, next_in);
  });
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::weight_gradient_gpu(const Dtype* in, const Dtype* out, Dtype* weights) {
  const auto add = [&](auto& library, const auto& shape) { return library.AddWeightGradient(shape, in, out, weights); };
  if (ByLibraryOnGpu(add)) return;
  const gpu::WindowAxes axes = AxesOnGpu();
  const int64_t next_in = in_dim(), next_out = out_dim(), image_columns = static_cast<int64_t>(col_offset_) * group_;
  ForEachColumnsOnGpu([&](int first, int images, Dtype* columns) {
    const Dtype* from = in + first * next_in;
    if (columns != nullptr) gpu::ImagesToColumns(axes, conv_in_channels_, images, from, next_in, columns);
    const Dtype* rows = columns != nullptr ? columns : from;
    for (int n = 0; n < images; ++n) {
      for (int g = 0; g < group_; ++g) {
        caffe_gpu_gemm<Dtype>(CblasNoTrans, CblasTrans, conv_out_channels_ / group_, kernel_dim_, conv_out_spatial_dim_,
                              1, out + (first + n) * next_out + output_offset_ * g,
                              rows + n * image_columns + static_cast<int64_t>(col_offset_) * g, 1,
                              weights + weight_offset_ * g);
      }
    }
  });
}

template <typename Dtype>
gpu::WindowAxes BaseConvolutionLayer<Dtype>::AxesOnGpu() const {
  return gpu::WindowAxes(num_spatial_axes_, conv_input_shape_.cpu_data() + 1, col_buffer_shape_.data() + 1,
                         kernel_shape_, pad_, stride_, dilation_);
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::add_bias_gpu(const Dtype* bias, Dtype* top) {
  const int channels = num_output_, positions = out_spatial_dim_;
  OnGpu::ForEach(num_ * top_dim_, [=] CAFFE_DEVICE(int i) { top[i] += bias[i / positions % channels]; });
}

template <typename Dtype>
void BaseConvolutionLayer<Dtype>::bias_gradient_gpu(const Dtype* top_diff, Dtype* bias_diff) {
  const int channels = num_output_, positions = out_spatial_dim_;
  OnGpu::ReduceRows<SumOfRow>(
      channels, num_ * positions,
      [=] CAFFE_DEVICE(int c, int column) {
        return static_cast<double>(top_diff[(column / positions * channels + c) * positions + column % positions]);
      },
      [=] CAFFE_DEVICE(int c, double sum) { bias_diff[c] += static_cast<Dtype>(sum); });
}

#define INSTANTIATE_CONVOLUTION_ON_GPU(Dtype)                                                         \
  template void BaseConvolutionLayer<Dtype>::convolve_gpu(const Dtype*, const Dtype*, Dtype*);        \
  template void BaseConvolutionLayer<Dtype>::convolve_back_gpu(const Dtype*, const Dtype*, Dtype*);   \
  template void BaseConvolutionLayer<Dtype>::weight_gradient_gpu(const Dtype*, const Dtype*, Dtype*); \
  template void BaseConvolutionLayer<Dtype>::add_bias_gpu(const Dtype*, Dtype*);                      \
  template void BaseConvolutionLayer<Dtype>::bias_gradient_gpu(const Dtype*, Dtype*)
INSTANTIATE_CONVOLUTION_ON_GPU(float);
INSTANTIATE_CONVOLUTION_ON_GPU(double);

}  // namespace caffe
