// Convolutions and averages over windows by a library on the GPU, where the build has one (cudnn.cu).
#pragma once

#include <array>
#include <tuple>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {
namespace gpu {

// Of two or three spatial axes; sizes along each. The weights are (out_channels, in_channels / groups, kernel).
struct ConvolutionShape {
  int images, in_channels, out_channels, groups;
  vector<int> in, out, kernel, pad, stride, dilation;

  bool operator<(const ConvolutionShape& other) const { return All() < other.All(); }

 private:
  vector<int> All() const {
    vector<int> all = {images, in_channels, out_channels, groups};
    for (const vector<int>* sizes : {&in, &out, &kernel, &pad, &stride, &dilation}) {
      all.insert(all.end(), sizes->begin(), sizes->end());
    }
    return all;
  }
};

// (height, width) each; no window reaches beyond the padded image.
struct WindowShape {
  int images, channels;
  std::array<int, 2> in, out, kernel, pad, stride;

  bool operator<(const WindowShape& other) const {
    const auto all = [](const WindowShape& s) {
      return std::tie(s.images, s.channels, s.in, s.out, s.kernel, s.pad, s.stride);
    };
    return all(*this) < all(other);
  }
};

// Each function is false, and nothing done, where the library has nothing that gives the same bits every time and needs
// no more than 256 MiB beside its arguments.
template <typename Dtype>
class DnnLibrary {
 public:
  // Null in a build without; set before main.
  inline static DnnLibrary* of_build = nullptr;

  virtual ~DnnLibrary() = default;
  // out = convolution of in;  in = its transpose of out;  weights += gradient.
  virtual bool Convolve(const ConvolutionShape& shape, const Dtype* in, const Dtype* weights, Dtype* out) = 0;
  virtual bool ConvolveBack(const ConvolutionShape& shape, const Dtype* out, const Dtype* weights, Dtype* in) = 0;
  virtual bool AddWeightGradient(const ConvolutionShape& shape, const Dtype* in, const Dtype* out, Dtype* weights) = 0;
  // y = means of the windows of x, padding counted as zeros;  dx = its transpose of dy.
  virtual bool Average(const WindowShape& shape, const Dtype* x, Dtype* y) = 0;
  virtual bool AverageBack(const WindowShape& shape, const Dtype* x, const Dtype* y, const Dtype* dy, Dtype* dx) = 0;
};

}  // namespace gpu
}  // namespace caffe
