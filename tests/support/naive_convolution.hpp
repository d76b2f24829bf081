// The definition of convolution as nested sums in double precision, for any number of spatial axes.
#pragma once

#include <vector>

#include "caffe/blob.hpp"

namespace rxnn::testing {

struct NaiveGeometry {
  std::vector<int> kernel, stride, pad, dilation;
  int group;
};

// Advances a multi-index in row-major order; false behind the last.
inline bool NextIndex(const std::vector<int>& shape, std::vector<int>* index) {
  for (int a = static_cast<int>(shape.size()) - 1; a >= 0; --a) {
    if (++(*index)[a] < shape[a]) {
      return true;
    }
    (*index)[a] = 0;
  }
  return false;
}

inline int Flatten(const std::vector<int>& shape, const std::vector<int>& index) {
  int flat = 0;
  for (size_t a = 0; a < shape.size(); ++a) {
    flat = flat * shape[a] + index[a];
  }
  return flat;
}

// y[n, o, p] = bias[o] + sum over c, k of weights[o, c, k] * x[n, group channel c, p * stride - pad + k * dilation].
template <typename Dtype>
std::vector<double> NaiveConvolution(const caffe::Blob<Dtype>& x, const caffe::Blob<Dtype>& weights,
                                     const caffe::Blob<Dtype>* bias, const NaiveGeometry& g,
                                     std::vector<int>* top_shape) {
  const int axes = static_cast<int>(g.kernel.size());
  const std::vector<int> in(x.shape().begin() + 2, x.shape().end());
  const int outputs = weights.shape(0), inputs = weights.shape(1);
  std::vector<int> out;
  for (int a = 0; a < axes; ++a) {
    out.push_back((in[a] + 2 * g.pad[a] - (g.dilation[a] * (g.kernel[a] - 1) + 1)) / g.stride[a] + 1);
  }
  *top_shape = {x.shape(0), outputs};
  top_shape->insert(top_shape->end(), out.begin(), out.end());
  std::vector<double> y;
  for (int n = 0; n < x.shape(0); ++n) {
    for (int o = 0; o < outputs; ++o) {
      const int first_channel = o / (outputs / g.group) * inputs;
      std::vector<int> p(axes, 0);
      do {
        double sum = bias ? bias->cpu_data()[o] : 0;
        for (int c = 0; c < inputs; ++c) {
          std::vector<int> k(axes, 0);
          do {
            std::vector<int> position = {n, first_channel + c}, tap = {o, c};
            bool inside = true;
            for (int a = 0; a < axes; ++a) {
              position.push_back(p[a] * g.stride[a] - g.pad[a] + k[a] * g.dilation[a]);
              tap.push_back(k[a]);
              inside = inside && position.back() >= 0 && position.back() < in[a];
            }
            if (inside) {
              sum += static_cast<double>(weights.cpu_data()[Flatten(weights.shape(), tap)]) *
                     x.cpu_data()[Flatten(x.shape(), position)];
            }
          } while (NextIndex(g.kernel, &k));
        }
        y.push_back(sum);
      } while (NextIndex(out, &p));
    }
  }
  return y;
}

}  // namespace rxnn::testing
