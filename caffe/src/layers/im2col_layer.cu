#include "caffe/layers/im2col_layer.hpp"
#include "im2col.cuh"

namespace caffe {

template <typename Dtype>
template <typename Where>
void Im2colLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const gpu::WindowAxes axes(num_spatial_axes_, bottom[0]->shape().data() + channel_axis_ + 1,
                             top[0]->shape().data() + channel_axis_ + 1, kernel_shape_, pad_, stride_, dilation_);
  gpu::ImagesToColumns(axes, channels_, num_, Where::Data(bottom[0]), bottom_dim_, Where::MutableData(top[0]));
}

template <typename Dtype>
template <typename Where>
void Im2colLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                    const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const gpu::WindowAxes axes(num_spatial_axes_, bottom[0]->shape().data() + channel_axis_ + 1,
                             top[0]->shape().data() + channel_axis_ + 1, kernel_shape_, pad_, stride_, dilation_);
  gpu::ColumnsToImages(axes, channels_, num_, Where::Diff(top[0]), Where::MutableDiff(bottom[0]), bottom_dim_);
}

REGISTER_GPU_FORM(Im2colLayer);

}  // namespace caffe
