// Every output looks at its window, every gradient at the windows that its position is in: nothing is added twice at
// once.
#include "caffe/layers/pooling_layer.hpp"
#include "dnn_library.cuh"
#include "on_gpu.cuh"
#include "pooling_windows.hpp"

namespace caffe {
namespace gpu {

// Outputs [begin, end).
struct Range2d {
  int h_begin, h_end, w_begin, w_end;
};

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
    body(output, g.WindowAt(ph, pw), x + static_cast<int64_t>(plane) * g.height * g.width);
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

template <typename Dtype, typename Index>
void ForwardMaxOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y, Index* index) {
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const PoolingWindow& window, const Dtype* image) {
    const int best = LargestOfWindow(window, g.width, image);
    y[output] = image[best];
    index[output] = static_cast<Index>(best);
  });
}

template <typename Dtype>
void ForwardSampleOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y, int* index) {
  const uint64_t first = FirstCounter();
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const PoolingWindow& window, const Dtype* image) {
    const int chosen = DrawnOfWindow(window, g.width, image, static_cast<Dtype>(Uniform01(first + output)));
    y[output] = image[chosen];
    index[output] = chosen;
  });
}

template <typename Dtype>
void ForwardExpectationOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y) {
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const PoolingWindow& window, const Dtype* image) {
    y[output] = ExpectationOfWindow(window, g.width, image);
  });
}

template <typename Dtype>
void ForwardAverageOnGpu(const PoolingGeometry& g, int outputs, const Dtype* x, Dtype* y) {
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const PoolingWindow& window, const Dtype* image) {
    y[output] = SumOfWindow(window, g.width, image) / window.padded_size;
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
  ForEachOutput(g, outputs, x, [=] CAFFE_DEVICE(int output, const PoolingWindow& window, const Dtype* image) {
    const Dtype sum = SumOfWindow(window, g.width, image);
    slopes[output] = sum > 0 ? dy[output] / sum : 0;
  });
  SumOverOutputs(g, count, dx, [=] CAFFE_DEVICE(int i, int, int output, int, int) {
    return slopes[output] * (2 * x[i] - y[output]);
  });
}

template <typename Dtype>
void BackwardAverageOnGpu(const PoolingGeometry& g, int count, const Dtype* dy, Dtype* dx) {
  SumOverOutputs(g, count, dx, [=] CAFFE_DEVICE(int, int, int output, int ph, int pw) {
    return dy[output] / g.WindowAt(ph, pw).padded_size;
  });
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
  const PoolingGeometry g = Geometry();
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
  const PoolingGeometry g = Geometry();
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
