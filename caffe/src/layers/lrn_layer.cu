#include "caffe/layers/lrn_layer.hpp"
#include "on_gpu.cuh"

namespace caffe {
namespace gpu {

// The sum of term(j) over the region around value i of (N, C, H, W) images.
struct LrnRegions {
  int channels, height, width, reach;
  bool across_channels;

  template <typename Term>
  CAFFE_DEVICE double Sum(int i, Term term) const {
    const int plane = height * width;
    double sum = 0;
    if (across_channels) {
      const int c = i / plane % channels;
      const int first = std::max(c - reach, 0) - c, last = std::min(c + reach, channels - 1) - c;
      for (int k = first; k <= last; ++k) sum += term(i + k * plane);
      return sum;
    }
    const int h = i / width % height, w = i % width;
    for (int y = std::max(h - reach, 0); y <= std::min(h + reach, height - 1); ++y) {
      for (int x = std::max(w - reach, 0); x <= std::min(w + reach, width - 1); ++x) {
        sum += term(i + (y - h) * width + x - w);
      }
    }
    return sum;
  }
};

}  // namespace gpu

template <typename Dtype>
template <typename Where>
void LRNLayer<Dtype>::ForwardOn(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {
  onednn_.reset();  // a Backward on the CPU asks whose the last Forward was
  const gpu::LrnRegions regions = {channels_, height_, width_, pre_pad_, across_channels_};
  const Dtype alpha = RegionAlpha(), k = k_, beta = beta_;
  const Dtype* x = Where::Data(bottom[0]);
  Dtype *y = Where::MutableData(top[0]), *scale = Where::MutableData(&scale_);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const double squares = regions.Sum(i, [=](int j) { return static_cast<double>(x[j]) * x[j]; });
    scale[i] = static_cast<Dtype>(k + alpha * squares);
    y[i] = x[i] * std::pow(scale[i], -beta);
  });
}

template <typename Dtype>
template <typename Where>
void LRNLayer<Dtype>::BackwardOn(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                                 const vector<Blob<Dtype>*>& bottom) {
  if (!propagate_down[0]) return;
  const gpu::LrnRegions regions = {channels_, height_, width_, pre_pad_, across_channels_};
  const Dtype factor = 2 * RegionAlpha() * beta_, beta = beta_;
  const Dtype *x = Where::Data(bottom[0]), *y = Where::Data(top[0]), *dy = Where::Diff(top[0]);
  const Dtype* scale = Where::Data(&scale_);
  Dtype* dx = Where::MutableDiff(bottom[0]);
  Where::ForEach(bottom[0]->count(), [=] CAFFE_DEVICE(int i) {
    const double ratios = regions.Sum(i, [=](int j) { return static_cast<double>(dy[j] * y[j] / scale[j]); });
    dx[i] = static_cast<Dtype>(dy[i] * std::pow(scale[i], -beta) - factor * x[i] * ratios);
  });
}

REGISTER_GPU_FORM(LRNLayer);

}  // namespace caffe
