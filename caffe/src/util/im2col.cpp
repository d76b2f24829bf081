#include "caffe/util/im2col.hpp"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "caffe/util/parallel.hpp"

namespace caffe {
namespace {

struct SpatialAxis {
  int image, output, kernel, pad, stride, dilation;
};
using SpatialAxes = std::vector<SpatialAxis>;

SpatialAxes MakeAxes(int count, const int* im_shape, const int* col_shape, const int* kernel, const int* pad,
                     const int* stride, const int* dilation) {
  SpatialAxes axes;
  for (int a = 0; a < count; ++a) {
    axes.push_back({im_shape[a + 1], col_shape[a + 1], kernel[a], pad[a], stride[a], dilation[a]});
  }
  return axes;
}

SpatialAxis MakeAxis(int image, int kernel, int pad, int stride, int dilation) {
  const int extent = dilation * (kernel - 1) + 1;
  return {image, (image + 2 * pad - extent) / stride + 1, kernel, pad, stride, dilation};
}

int64_t Product(const SpatialAxes& axes, int SpatialAxis::*size) {
  int64_t product = 1;
  for (const SpatialAxis& axis : axes) {
    product *= axis.*size;
  }
  return product;
}

// One kernel position: along each axis, output o reads image position first + o * stride.
struct Tap {
  // `index` is the flat kernel position.
  Tap(const SpatialAxes& axes, int index) : first(axes.size()) {
    for (int a = static_cast<int>(axes.size()) - 1; a >= 0; --a) {
      first[a] = index % axes[a].kernel * axes[a].dilation - axes[a].pad;
      index /= axes[a].kernel;
    }
    begin = OutputsBefore(axes.back(), 0);
    end = OutputsBefore(axes.back(), axes.back().image);
  }
  // Number of outputs of the last axis that read a position below `limit`.
  int OutputsBefore(const SpatialAxis& axis, int limit) const {
    const int distance = limit - first.back();
    return std::clamp(distance <= 0 ? 0 : (distance - 1) / axis.stride + 1, 0, axis.output);
  }

  std::vector<int> first;
  int begin, end;  // outputs of the last axis that read inside the image
};

// Visits the runs of output positions along the last axis: row(column offset, image offset). Runs that lie in the
// padding of an outer axis have image offset -1.
template <typename Row>
void ForEachRow(const SpatialAxes& axes, const Tap& tap, Row row) {
  const int outer_axes = static_cast<int>(axes.size()) - 1;
  const SpatialAxis& inner = axes.back();
  const int64_t rows = Product(axes, &SpatialAxis::output) / inner.output;
  std::vector<int> output(axes.size(), 0);
  for (int64_t r = 0; r < rows; ++r) {
    int64_t image_row = 0;
    for (int a = 0; a < outer_axes && image_row >= 0; ++a) {
      const int position = tap.first[a] + output[a] * axes[a].stride;
      const bool inside = position >= 0 && position < axes[a].image;
      image_row = inside ? image_row * axes[a].image + position : -1;
    }
    row(r * inner.output, image_row < 0 ? -1 : image_row * inner.image);
    for (int a = outer_axes - 1; a >= 0 && ++output[a] == axes[a].output; --a) {
      output[a] = 0;
    }
  }
}

template <typename Dtype>
void ImageToColumns(const Dtype* image, int channels, const SpatialAxes& axes, Dtype* columns) {
  const int taps = static_cast<int>(Product(axes, &SpatialAxis::kernel));
  const int64_t outputs = Product(axes, &SpatialAxis::output);
  const int64_t image_size = Product(axes, &SpatialAxis::image);
  const SpatialAxis& inner = axes.back();
  ForEachTask(channels * taps, outputs, [&](int task) {
    const Dtype* channel = image + task / taps * image_size;
    Dtype* matrix_row = columns + task * outputs;
    const Tap tap(axes, task % taps);
    const int first = tap.first.back();
    ForEachRow(axes, tap, [&](int64_t column, int64_t image_row) {
      Dtype* out = matrix_row + column;
      if (image_row < 0) {
        std::fill_n(out, inner.output, Dtype(0));
        return;
      }
      const Dtype* in = channel + image_row;
      std::fill(out, out + tap.begin, Dtype(0));
      if (inner.stride == 1) {
        std::copy_n(in + first + tap.begin, tap.end - tap.begin, out + tap.begin);
      } else {
        for (int o = tap.begin; o < tap.end; ++o) {
          out[o] = in[first + o * inner.stride];
        }
      }
      std::fill(out + tap.end, out + inner.output, Dtype(0));
    });
  });
}

template <typename Dtype>
void ColumnsToImage(const Dtype* columns, int channels, const SpatialAxes& axes, Dtype* image) {
  const int taps = static_cast<int>(Product(axes, &SpatialAxis::kernel));
  const int64_t outputs = Product(axes, &SpatialAxis::output);
  const int64_t image_size = Product(axes, &SpatialAxis::image);
  const SpatialAxis& inner = axes.back();
  ForEachTask(channels, taps * outputs, [&](int c) {
    Dtype* channel = image + c * image_size;
    std::fill_n(channel, image_size, Dtype(0));
    for (int t = 0; t < taps; ++t) {
      const Dtype* matrix_row = columns + (static_cast<int64_t>(c) * taps + t) * outputs;
      const Tap tap(axes, t);
      const int first = tap.first.back();
      ForEachRow(axes, tap, [&](int64_t column, int64_t image_row) {
        if (image_row < 0) {
          return;
        }
        Dtype* out = channel + image_row;
        const Dtype* in = matrix_row + column;
        for (int o = tap.begin; o < tap.end; ++o) {
          out[first + o * inner.stride] += in[o];
        }
      });
    }
  });
}

}  // namespace

template <typename Dtype>
void im2col_nd_cpu(const Dtype* data_im, int num_spatial_axes, const int* im_shape, const int* col_shape,
                   const int* kernel_shape, const int* pad, const int* stride, const int* dilation, Dtype* data_col) {
  ImageToColumns(data_im, im_shape[0],
                 MakeAxes(num_spatial_axes, im_shape, col_shape, kernel_shape, pad, stride, dilation), data_col);
}

template <typename Dtype>
void im2col_cpu(const Dtype* data_im, int channels, int height, int width, int kernel_h, int kernel_w, int pad_h,
                int pad_w, int stride_h, int stride_w, int dilation_h, int dilation_w, Dtype* data_col) {
  ImageToColumns(
      data_im, channels,
      {MakeAxis(height, kernel_h, pad_h, stride_h, dilation_h), MakeAxis(width, kernel_w, pad_w, stride_w, dilation_w)},
      data_col);
}

template <typename Dtype>
void col2im_nd_cpu(const Dtype* data_col, int num_spatial_axes, const int* im_shape, const int* col_shape,
                   const int* kernel_shape, const int* pad, const int* stride, const int* dilation, Dtype* data_im) {
  ColumnsToImage(data_col, im_shape[0],
                 MakeAxes(num_spatial_axes, im_shape, col_shape, kernel_shape, pad, stride, dilation), data_im);
}

template <typename Dtype>
void col2im_cpu(const Dtype* data_col, int channels, int height, int width, int kernel_h, int kernel_w, int pad_h,
                int pad_w, int stride_h, int stride_w, int dilation_h, int dilation_w, Dtype* data_im) {
  ColumnsToImage(
      data_col, channels,
      {MakeAxis(height, kernel_h, pad_h, stride_h, dilation_h), MakeAxis(width, kernel_w, pad_w, stride_w, dilation_w)},
      data_im);
}

#define INSTANTIATE_IM2COL(Dtype)                                                                                   \
  template void im2col_nd_cpu<Dtype>(const Dtype*, int, const int*, const int*, const int*, const int*, const int*, \
                                     const int*, Dtype*);                                                           \
  template void im2col_cpu<Dtype>(const Dtype*, int, int, int, int, int, int, int, int, int, int, int, Dtype*);     \
  template void col2im_nd_cpu<Dtype>(const Dtype*, int, const int*, const int*, const int*, const int*, const int*, \
                                     const int*, Dtype*);                                                           \
  template void col2im_cpu<Dtype>(const Dtype*, int, int, int, int, int, int, int, int, int, int, int, Dtype*)
INSTANTIATE_IM2COL(float);
INSTANTIATE_IM2COL(double);

}  // namespace caffe
