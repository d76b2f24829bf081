// The columns of im2col on the GPU: one thread an entry, or in the transposed operation one a position of the image.
#include "im2col.cuh"

namespace caffe {
namespace gpu {

template <typename Dtype>
void ImagesToColumns(const WindowAxes& axes, int channels, int images, const Dtype* image, int64_t next_image,
                     Dtype* columns) {
  const int taps = axes.taps, outputs = axes.outputs;
  const int64_t positions = axes.positions;
  OnGpu::ForEach(images * channels * taps * outputs, [=] CAFFE_DEVICE(int i) {
    int output = i % outputs, tap = i / outputs % taps;
    const int plane = i / outputs / taps;
    int64_t offset = plane / channels * next_image + plane % channels * positions, step = 1;
    bool inside = true;
    for (int a = axes.count - 1; a >= 0; --a) {
      const WindowAxes::Axis& axis = axes.axis[a];
      const int at = output % axis.output * axis.stride - axis.pad + tap % axis.kernel * axis.dilation;
      inside = inside && at >= 0 && at < axis.image;
      offset += at * step;
      step *= axis.image;
      output /= axis.output;
      tap /= axis.kernel;
    }
    columns[i] = inside ? image[offset] : 0;
  });
}

template <typename Dtype>
void ColumnsToImages(const WindowAxes& axes, int channels, int images, const Dtype* columns, Dtype* image,
                     int64_t next_image) {
  const int taps = axes.taps, outputs = axes.outputs, positions = static_cast<int>(axes.positions);
  OnGpu::ForEach(images * channels * positions, [=] CAFFE_DEVICE(int i) {
    const int plane = i / positions;
    Dtype sum = 0;
    for (int t = 0; t < taps; ++t) {
      int position = i % positions, tap = t, output = 0, step = 1;
      bool reads = true;
      for (int a = axes.count - 1; a >= 0; --a) {
        const WindowAxes::Axis& axis = axes.axis[a];
        // Output o reads this position with this tap where o * stride is `distance`.
        const int distance = position % axis.image + axis.pad - tap % axis.kernel * axis.dilation;
        reads = reads && distance >= 0 && distance % axis.stride == 0 && distance / axis.stride < axis.output;
        output += distance / axis.stride * step;
        step *= axis.output;
        position /= axis.image;
        tap /= axis.kernel;
      }
      if (reads) sum += columns[(static_cast<int64_t>(plane) * taps + t) * outputs + output];
    }
    image[plane / channels * next_image + plane % channels * static_cast<int64_t>(positions) + i % positions] = sum;
  });
}

#define INSTANTIATE_COLUMNS(Dtype)                                                           \
  template void ImagesToColumns(const WindowAxes&, int, int, const Dtype*, int64_t, Dtype*); \
  template void ColumnsToImages(const WindowAxes&, int, int, const Dtype*, Dtype*, int64_t)
INSTANTIATE_COLUMNS(float);
INSTANTIATE_COLUMNS(double);

}  // namespace gpu
}  // namespace caffe
