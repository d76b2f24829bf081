// What Convolution and Deconvolution share: geometry, parameter blobs, and the products of one image with the weights.
#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

namespace gpu {
struct WindowAxes;
}  // namespace gpu

// bottom (..., C, spatial axes) -> top (..., num_output, spatial axes); `axis` (default 1) is the channel axis, what
// comes before it is the batch, what follows are any number of spatial axes. Several bottoms of one shape give as many
// tops through the same weights.
//
// Parameters (convolution_param): num_output; kernel_size / stride / pad / dilation, each one value for all spatial
// axes or one for each (defaults -, 1, 0, 1), or the _h and _w forms for two axes; group (default 1); bias_term
// (default true); weight_filler, bias_filler; engine: CAFFE keeps a GPU from using cuDNN. force_nd_im2col changes
// nothing here: one code serves any number of axes.
// blobs()[0]: weights (conv_out_channels, conv_in_channels / group, kernel axes); blobs()[1]: bias (num_output).
//
// The code speaks of the forward convolution "in -> out"; Deconvolution runs it the other way round, so that its bottom
// is "out" and its top is "in".
template <typename Dtype>
class BaseConvolutionLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  // Throws Error for a geometry that does not fit the bottom, and for given blobs of another shape.
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  int MinBottomBlobs() const override { return 1; }
  int MinTopBlobs() const override { return 1; }
  bool EqualNumBottomTopBlobs() const override { return true; }

  // On the GPU, for all images of a blob: out = weights * columns(in); in = image(weights^T * out); weights += out *
  // columns(in)^T; the bias of all tops, and its gradient, which is added. Pointers to the GPU's memory. Public, since
  // bodies for the GPU cannot be written in other members.
  void convolve_gpu(const Dtype* in, const Dtype* weights, Dtype* out);
  void convolve_back_gpu(const Dtype* out, const Dtype* weights, Dtype* in);
  void weight_gradient_gpu(const Dtype* in, const Dtype* out, Dtype* weights);
  void add_bias_gpu(const Dtype* bias, Dtype* top);
  void bias_gradient_gpu(const Dtype* top_diff, Dtype* bias_diff);

 protected:
  // The two halves of LayerSetUp, for layers that keep other blobs: everything but blobs_, and blobs_.
  void SetUpGeometry(const vector<Blob<Dtype>*>& bottom);
  void SetUpBlobs();

  // True for Deconvolution: bottom and top change places.
  virtual bool reverse_dimensions() = 0;
  // Fills output_shape_, the spatial shape of the top, from bottom_shape_.
  virtual void compute_output_shape() = 0;

  // All images of a bottom: forward_cpu_gemm and, where `bias` is not null, forward_cpu_bias for each. Where there are
  // enough of them, images go to the threads whole: that costs one start of the threads instead of several per image.
  void forward_images(const Dtype* bottom, const Dtype* weights, const Dtype* bias, Dtype* top);
  // One image: output = weights * columns(input); `skip_im2col` when col_buffer_ still holds the columns.
  void forward_cpu_gemm(const Dtype* input, const Dtype* weights, Dtype* output, bool skip_im2col = false);
  void forward_cpu_bias(Dtype* output, const Dtype* bias);
  // One image: input = image(weights^T * output).
  void backward_cpu_gemm(const Dtype* output, const Dtype* weights, Dtype* input);
  // One image, added: weights += output * columns(input)^T; bias += sum of input over positions.
  void weight_cpu_gemm(const Dtype* input, const Dtype* output, Dtype* weights);
  void backward_cpu_bias(Dtype* bias, const Dtype* input);

  int input_shape(int i) const { return (*bottom_shape_)[channel_axis_ + i]; }

  // One value for each spatial axis.
  Blob<int> kernel_shape_;
  Blob<int> stride_;
  Blob<int> pad_;
  Blob<int> dilation_;
  // Channels and spatial shape of "in".
  Blob<int> conv_input_shape_;
  // Rows (all groups) and spatial output shape of the column matrix.
  vector<int> col_buffer_shape_;
  vector<int> output_shape_;
  const vector<int>* bottom_shape_ = nullptr;

  int num_spatial_axes_ = 0;
  int channel_axis_ = 0;
  int num_ = 0;       // images
  int channels_ = 0;  // of the bottom
  int group_ = 1;
  int num_output_ = 0;
  int bottom_dim_ = 0;  // values of one image
  int top_dim_ = 0;
  int out_spatial_dim_ = 0;  // positions of the top
  int weight_offset_ = 0;    // weights of one group
  bool bias_term_ = true;
  bool is_1x1_ = false;           // the columns are the image itself
  bool force_nd_im2col_ = false;  // as given

  int conv_out_channels_ = 0;
  int conv_in_channels_ = 0;
  int conv_out_spatial_dim_ = 0;
  int kernel_dim_ = 0;     // rows of the column matrix in one group: conv_in_channels / group * kernel positions
  int col_offset_ = 0;     // values of the column matrix in one group
  int output_offset_ = 0;  // values of "out" in one group

 private:
  // Values of one image of "in" and of "out".
  int in_dim() { return reverse_dimensions() ? top_dim_ : bottom_dim_; }
  int out_dim() { return reverse_dimensions() ? bottom_dim_ : top_dim_; }
  gpu::WindowAxes AxesOnGpu() const;
  // call(library, shape) by the GPU's library for convolutions; false, and nothing done, where it has no such one.
  template <typename Call>
  bool ByLibraryOnGpu(Call call);
  // visit(first image, images, where their columns go): as many images at a time as fit.
  template <typename Visit>
  void ForEachColumnsOnGpu(Visit visit);

  void conv_im2col_cpu(const Dtype* data, Dtype* col_buff);
  // output = weights * columns, all groups of one image.
  void MultiplyColumns(const Dtype* columns, const Dtype* weights, Dtype* output);
  void conv_col2im_cpu(const Dtype* col_buff, Dtype* data);
  // product(g) for each group; across groups in threads where one group is too small for a threaded matrix product.
  template <typename ProductOfGroup>
  void ForEachGroup(ProductOfGroup product) const;

  Blob<Dtype> col_buffer_;
};

}  // namespace caffe
