// im2col on the GPU, for any number of spatial axes; caffe/util/im2col.hpp says what the columns are.
#pragma once

#include <vector>

#include "on_gpu.cuh"

namespace caffe {
namespace gpu {

// The spatial axes, as a kernel takes them.
struct WindowAxes {
  struct Axis {
    int image, output, kernel, pad, stride, dilation;
  };
  // Sizes along each axis: `image` and `output` as in a blob's shape, the others as layers keep them.
  WindowAxes(int count, const int* image, const int* output, const Blob<int>& kernel, const Blob<int>& pad,
             const Blob<int>& stride, const Blob<int>& dilation)
      : count(count) {
    for (int a = 0; a < count; ++a) {
      axis[a] = {
          image[a], output[a], kernel.cpu_data()[a], pad.cpu_data()[a], stride.cpu_data()[a], dilation.cpu_data()[a]};
      taps *= axis[a].kernel;
      outputs *= axis[a].output;
      positions *= axis[a].image;
    }
  }

  int count;
  int taps = 1, outputs = 1;  // all kernel positions, all outputs
  int64_t positions = 1;      // of one channel of the image
  Axis axis[kMaxBlobAxes];
};

// Images begin `next_image` values apart, columns of `channels` * taps rows lie one behind the other.
template <typename Dtype>
void ImagesToColumns(const WindowAxes& axes, int channels, int images, const Dtype* image, int64_t next_image,
                     Dtype* columns);
// Images are overwritten.
template <typename Dtype>
void ColumnsToImages(const WindowAxes& axes, int channels, int images, const Dtype* columns, Dtype* image,
                     int64_t next_image);

}  // namespace gpu
}  // namespace caffe
