// Every output looks at its window, every gradient at the windows that its position is in: nothing is added twice at
// once.
#include "caffe/layers/pooling_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {
namespace gpu {

struct PoolingGeometry {
  int height, width, pooled_height, pooled_width;
  int kernel_h, kernel_w, stride_h, stride_w, pad_h, pad_w;
};

// Rows and columns [begin, end) of the image, or of the outputs.
struct Range2d {
  int h_begin, h_end, w_begin, w_end;
};

CAFFE_DEVICE inline Range2d WindowOf(const PoolingGeometry& g, int ph, int pw) {
  const int h = ph * g.stride_h - g.pad_h, w = pw * g.stride_w - g.pad_w;
  return {std::max(h, 0), std::min(h + g.kernel_h, g.height), std::max(w, 0), std::min(w + g.kernel_w, g.width)};
}

// Its size before it was clipped to the image, padding included.
CAFFE_DEVICE inline int PaddedSize(const PoolingGeometry& g, int ph, int pw) {
  const int h = ph * g.stride_h - g.pad_h, w = pw * g.stride_w - g.pad_w;
  return (std::min(h + g.kernel_h, g.height + g.pad_h) - h) * (std::min(w + g.kernel_w, g.width + g.pad_w) - w);
}

// The outputs whose windows have this position of the image.
CAFFE_DEVICE inline Range2d OutputsOf(const PoolingGeometry& g, int h, int w) {
  const int from_h = h + g.pad_h - g.kernel_h, from_w = w + g.pad_w - g.kernel_w;
  return {from_h < 0 ? 0 : from_h / g.stride_h + 1, std::min((h + g.pad_h) / g.stride_h + 1, g.pooled_height),
          from_w < 0 ? 0 : from_w / g.stride_w + 1, std::min((w + g.pad_w) / g.stride_w + 1, g.pooled_width)};
}

template <typename Dtype, typename Index>
void ForwardMaxOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y, Index* index) {
  OnGpu::ForEach(outputs, [=] CAFFE_DEVICE(int output) {
    const int plane = output / (g.pooled_height * g.pooled_width);
    const Range2d window = WindowOf(g, output / g.pooled_width % g.pooled_height, output % g.pooled_width);
    const Dtype* image = x + static_cast<int64_t>(plane) * g.height * g.width;
    int best = window.h_begin * g.width + window.w_begin;
    for (int h = window.h_begin; h < window.h_end; ++h) {
      for (int w = window.w_begin; w < window.w_end; ++w) {
        const int candidate = h * g.width + w;
        best = image[candidate] > image[best] ? candidate : best;
      }
    }
    y[output] = image[best];
    index[output] = static_cast<Index>(best);
  });
}

template <typename Dtype, typename Index>
void BackwardMaxOnGpu(const PoolingGeometry& g, int count, const Dtype* dy, const Index* index, Dtype* dx) {
  OnGpu::ForEach(count, [=] CAFFE_DEVICE(int i) {
    const int position = i % (g.height * g.width), plane = i / (g.height * g.width);
    const Range2d outputs = OutputsOf(g, position / g.width, position % g.width);
    Dtype sum = 0;
    for (int ph = outputs.h_begin; ph < outputs.h_end; ++ph) {
      for (int pw = outputs.w_begin; pw < outputs.w_end; ++pw) {
        const int output = (plane * g.pooled_height + ph) * g.pooled_width + pw;
        if (static_cast<int>(index[output]) == position) sum += dy[output];
      }
    }
    dx[i] = sum;
  });
}

}  // namespace gpu

template <typename Dtype>
template <typename Where>
void PoolingLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method == PoolingParameter_PoolMethod_STOCHASTIC) return Forward_cpu(bottom, top);
  onednn_.reset();  // a Backward on the CPU asks whose the last Forward was
  const gpu::PoolingGeometry g = {height_,   width_,    pooled_height_, pooled_width_, kernel_h_,
                                  kernel_w_, stride_h_, stride_w_,      pad_h_,        pad_w_};
  const int outputs = top[0]->count();
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  if (method == PoolingParameter_PoolMethod_MAX) {
    if (top.size() > 1) {
      gpu::ForwardMaxOnGpu(g, outputs, x, y, Where::MutableData(top[1]));
    } else {
      gpu::ForwardMaxOnGpu(g, outputs, x, y, Where::MutableData(&max_idx_));
    }
    return;
  }
  Where::ForEach(outputs, [=] CAFFE_DEVICE(int output) {
    const int plane = output / (g.pooled_height * g.pooled_width);
    const int ph = output / g.pooled_width % g.pooled_height, pw = output % g.pooled_width;
    const gpu::Range2d window = gpu::WindowOf(g, ph, pw);
    const Dtype* image = x + static_cast<int64_t>(plane) * g.height * g.width;
    Dtype sum = 0;
    for (int h = window.h_begin; h < window.h_end; ++h) {
      for (int w = window.w_begin; w < window.w_end; ++w) sum += image[h * g.width + w];
    }
    y[output] = sum / gpu::PaddedSize(g, ph, pw);
  });
}

template <typename Dtype>
template <typename Where>
void PoolingLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method == PoolingParameter_PoolMethod_STOCHASTIC) return Backward_cpu(top, propagate_down, bottom);
  const gpu::PoolingGeometry g = {height_,   width_,    pooled_height_, pooled_width_, kernel_h_,
                                  kernel_w_, stride_h_, stride_w_,      pad_h_,        pad_w_};
  const int count = bottom[0]->count();
  const Dtype* dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  if (method == PoolingParameter_PoolMethod_MAX) {
    if (top.size() > 1) {
      gpu::BackwardMaxOnGpu(g, count, dy, Where::Data(top[1]), dx);
    } else {
      gpu::BackwardMaxOnGpu(g, count, dy, Where::Data(&max_idx_), dx);
    }
    return;
  }
  Where::ForEach(count, [=] CAFFE_DEVICE(int i) {
    const int position = i % (g.height * g.width), plane = i / (g.height * g.width);
    const gpu::Range2d outputs = gpu::OutputsOf(g, position / g.width, position % g.width);
    Dtype sum = 0;
    for (int ph = outputs.h_begin; ph < outputs.h_end; ++ph) {
      for (int pw = outputs.w_begin; pw < outputs.w_end; ++pw) {
        sum += dy[(plane * g.pooled_height + ph) * g.pooled_width + pw] / gpu::PaddedSize(g, ph, pw);
      }
    }
    dx[i] = sum;
  });
}

REGISTER_GPU_FORM(PoolingLayer);

}  // namespace caffe
