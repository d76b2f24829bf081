// Every output looks at its window, every gradient at the windows that its position is in: nothing is added twice at
// once.
#include "caffe/layers/pooling_layer.hpp"
#include "dnn_library.cuh"
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

// body(output, window, image) for every output: the image is the plane that its window lies in.
template <typename Dtype, typename Body>
void ForEachOutput(const PoolingGeometry& g, int outputs, const Dtype* x, Body body) {
  OnGpu::ForEach(outputs, [=] CAFFE_DEVICE(int output) {
    const int plane = output / (g.pooled_height * g.pooled_width);
    const int ph = output / g.pooled_width % g.pooled_height, pw = output % g.pooled_width;
    body(output, WindowOf(g, ph, pw), x + static_cast<int64_t>(plane) * g.height * g.width);
  });
}

// dx[i] = the sum of term(i, position of i in its image, output, ph, pw) over the outputs whose windows have it.
template <typename Dtype, typename Term>
void SumOverOutputs(const PoolingGeometry& g, int count, Dtype* dx, Term term) {
  OnGpu::ForEach(count, [=] CAFFE_DEVICE(int i) {
    const int position = i % (g.height * g.width), plane = i / (g.height * g.width);
    const Range2d outputs = OutputsOf(g, position / g.width, position % g.width);
    Dtype sum = 0;
    for (int ph = outputs.h_begin; ph < outputs.h_end; ++ph) {
      for (int pw = outputs.w_begin; pw < outputs.w_end; ++pw) {
        sum += term(i, position, (plane * g.pooled_height + ph) * g.pooled_width + pw, ph, pw);
      }
    }
    dx[i] = sum;
  });
}

template <typename Dtype>
CAFFE_DEVICE Dtype SumOfWindow(const Range2d& window, int width, const Dtype* image) {
  Dtype sum = 0;
  for (int h = window.h_begin; h < window.h_end; ++h) {
    for (int w = window.w_begin; w < window.w_end; ++w) sum += image[h * width + w];
  }
  return sum;
}

template <typename Dtype, typename Index>
void ForwardMaxOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y, Index* index) {
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const Range2d& window, const Dtype* image) {
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

// A value drawn with probability proportional to itself; the first of the window where all are 0.
template <typename Dtype>
void ForwardSampleOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y, int* index) {
  const uint64_t first = FirstCounter();
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const Range2d& window, const Dtype* image) {
    const Dtype threshold = static_cast<Dtype>(Uniform01(first + output)) * SumOfWindow(window, g.width, image);
    Dtype running = 0;
    int chosen = window.h_begin * g.width + window.w_begin;
    for (int h = window.h_begin; h < window.h_end && running <= threshold; ++h) {
      for (int w = window.w_begin; w < window.w_end && running <= threshold; ++w) {
        const Dtype value = image[h * g.width + w];
        running += value;
        chosen = value > 0 ? h * g.width + w : chosen;
      }
    }
    y[output] = image[chosen];
    index[output] = chosen;
  });
}

// sum(x^2) / sum(x) of the window.
template <typename Dtype>
void ForwardExpectationOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y) {
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const Range2d& window, const Dtype* image) {
    Dtype squares = 0;
    for (int h = window.h_begin; h < window.h_end; ++h) {
      for (int w = window.w_begin; w < window.w_end; ++w) squares += image[h * g.width + w] * image[h * g.width + w];
    }
    const Dtype sum = SumOfWindow(window, g.width, image);
    y[output] = sum > 0 ? squares / sum : 0;
  });
}

template <typename Dtype>
void ForwardAverageOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y) {
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const Range2d& window, const Dtype* image) {
    const int size = PaddedSize(g, output / g.pooled_width % g.pooled_height, output % g.pooled_width);
    y[output] = SumOfWindow(window, g.width, image) / size;
  });
}

// To the position that each output was taken from.
template <typename Dtype, typename Index>
void BackwardIndexedOnGpu(const PoolingGeometry& g, int count, const Dtype* dy, const Index* index, Dtype* dx) {
  SumOverOutputs(g, count, dx, [=] CAFFE_DEVICE(int, int position, int output, int, int) {
    return static_cast<int>(index[output]) == position ? dy[output] : Dtype(0);
  });
}

// y = S2 / S1, dy/dx = (2 x - y) / S1.
template <typename Dtype>
void BackwardExpectationOnGpu(const PoolingGeometry& g, int outputs, int count, const Dtype* x, const Dtype* y,
                              const Dtype* dy, Dtype* dx) {
  Dtype* const slopes = Scratch<Dtype>(outputs);
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const Range2d& window, const Dtype* image) {
    const Dtype sum = SumOfWindow(window, g.width, image);
    slopes[output] = sum > 0 ? dy[output] / sum : 0;
  });
  SumOverOutputs(g, count, dx, [=] CAFFE_DEVICE(int i, int, int output, int, int) {
    return slopes[output] * (2 * x[i] - y[output]);
  });
}

template <typename Dtype>
void BackwardAverageOnGpu(const PoolingGeometry& g, int count, const Dtype* dy, Dtype* dx) {
  SumOverOutputs(g, count, dx,
                 [=] CAFFE_DEVICE(int, int, int output, int ph, int pw) { return dy[output] / PaddedSize(g, ph, pw); });
}

}  // namespace gpu

template <typename Dtype>
template <typename Call>
bool PoolingLayer<Dtype>::ByLibraryOnGpu(const Blob<Dtype>& bottom, Call call) const {
  gpu::DnnLibrary<Dtype>* const library = gpu::DnnLibrary<Dtype>::of_build;
  const bool own = this->layer_param_.pooling_param().engine() == PoolingParameter_Engine_CAFFE;
  if (library == nullptr || own || !AveragesWholeWindows() || bottom.count() == 0) return false;
  return call(*library, gpu::WindowShape{bottom.num(),
                                         channels_,
                                         {height_, width_},
                                         {pooled_height_, pooled_width_},
                                         {kernel_h_, kernel_w_},
                                         {pad_h_, pad_w_},
                                         {stride_h_, stride_w_}});
}

template <typename Dtype>
template <typename Where>
void PoolingLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  onednn_.reset();  // a Backward on the CPU asks whose the last Forward was
  const gpu::PoolingGeometry g = {height_,   width_,    pooled_height_, pooled_width_, kernel_h_,
                                  kernel_w_, stride_h_, stride_w_,      pad_h_,        pad_w_};
  const int outputs = top[0]->count();
  const Dtype* x = Where::Data(bottom[0]);
  Dtype* y = Where::MutableData(top[0]);
  switch (this->layer_param_.pooling_param().pool()) {
    case PoolingParameter_PoolMethod_MAX:
      if (top.size() > 1) {
        gpu::ForwardMaxOnGpu(g, outputs, x, y, Where::MutableData(top[1]));
      } else {
        gpu::ForwardMaxOnGpu(g, outputs, x, y, Where::MutableData(&max_idx_));
      }
      break;
    case PoolingParameter_PoolMethod_AVE:
      if (!ByLibraryOnGpu(*bottom[0], [&](auto& library, const auto& shape) { return library.Average(shape, x, y); })) {
        gpu::ForwardAverageOnGpu(g, outputs, x, y);
      }
      break;
    case PoolingParameter_PoolMethod_STOCHASTIC:
      if (this->phase_ == TRAIN) {
        gpu::ForwardSampleOnGpu(g, outputs, x, y, Where::MutableData(&max_idx_));
      } else {
        gpu::ForwardExpectationOnGpu(g, outputs, x, y);
      }
      break;
  }
}

template <typename Dtype>
template <typename Where>
void PoolingLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                     const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const gpu::PoolingGeometry g = {height_,   width_,    pooled_height_, pooled_width_, kernel_h_,
                                  kernel_w_, stride_h_, stride_w_,      pad_h_,        pad_w_};
  const int count = bottom[0]->count();
  const Dtype *x = Where::Data(bottom[0]), *y = Where::Data(top[0]), *dy = Where::Diff(top[0]);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  const PoolingParameter_PoolMethod method = this->layer_param_.pooling_param().pool();
  if (method == PoolingParameter_PoolMethod_AVE) {
    const auto average_back = [&](auto& library, const auto& shape) {
      return library.AverageBack(shape, x, y, dy, dx);
    };
    if (!ByLibraryOnGpu(*bottom[0], average_back)) {
      gpu::BackwardAverageOnGpu(g, count, dy, dx);
    }
  } else if (method == PoolingParameter_PoolMethod_STOCHASTIC && this->phase_ != TRAIN) {
    gpu::BackwardExpectationOnGpu(g, top[0]->count(), count, x, y, dy, dx);
  } else if (top.size() > 1) {
    gpu::BackwardIndexedOnGpu(g, count, dy, Where::Data(top[1]), dx);
  } else {
    gpu::BackwardIndexedOnGpu(g, count, dy, Where::Data(&max_idx_), dx);
  }
}

REGISTER_GPU_FORM(PoolingLayer);

}  // namespace caffe
