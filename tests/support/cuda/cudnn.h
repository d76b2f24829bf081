// cuDNN for kernels that run on the host (tests/support/cuda_on_host.hpp): the convolutions and averages that
// caffe/src/gpu calls, as the sums they are. An algorithm that repeats its bits comes after one that does not, and asks
// for a workspace.
#pragma once

#include <cstring>
#include <numeric>
#include <vector>

enum cudnnStatus_t { CUDNN_STATUS_SUCCESS, CUDNN_STATUS_BAD_PARAM, CUDNN_STATUS_NOT_SUPPORTED };
enum cudnnDataType_t { CUDNN_DATA_FLOAT, CUDNN_DATA_DOUBLE };
enum cudnnTensorFormat_t { CUDNN_TENSOR_NCHW };
enum cudnnConvolutionMode_t { CUDNN_CONVOLUTION, CUDNN_CROSS_CORRELATION };
enum cudnnMathType_t { CUDNN_DEFAULT_MATH, CUDNN_FMA_MATH };
enum cudnnPoolingMode_t { CUDNN_POOLING_MAX, CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING };
enum cudnnNanPropagation_t { CUDNN_NOT_PROPAGATE_NAN, CUDNN_PROPAGATE_NAN };
enum cudnnDeterminism_t { CUDNN_NON_DETERMINISTIC, CUDNN_DETERMINISTIC };

namespace cuda_on_host {

struct DnnArray {  // a tensor or a filter
  cudnnDataType_t type;
  std::vector<int> dims;
};
struct DnnConvolution {
  cudnnDataType_t type;
  std::vector<int> pad, stride, dilation;
  int groups = 1;
  cudnnMathType_t math = CUDNN_DEFAULT_MATH;
};
struct DnnWindows {
  cudnnPoolingMode_t mode;
  int kernel[2], pad[2], stride[2];
};
struct DnnAnswer {
  int algo;
  cudnnStatus_t status;
  float time;
  std::size_t memory;
  cudnnDeterminism_t determinism;
  cudnnMathType_t mathType;
};
constexpr int kRepeats = 7;
constexpr std::size_t kDnnWorkspace = 100;

}  // namespace cuda_on_host

using cudnnHandle_t = struct cudnnContext*;
using cudnnTensorDescriptor_t = cuda_on_host::DnnArray*;
using cudnnFilterDescriptor_t = cuda_on_host::DnnArray*;
using cudnnConvolutionDescriptor_t = cuda_on_host::DnnConvolution*;
using cudnnPoolingDescriptor_t = cuda_on_host::DnnWindows*;
using cudnnConvolutionFwdAlgoPerf_t = cuda_on_host::DnnAnswer;
struct cudnnConvolutionBwdDataAlgoPerf_t : cuda_on_host::DnnAnswer {};
struct cudnnConvolutionBwdFilterAlgoPerf_t : cuda_on_host::DnnAnswer {};

inline const char* cudnnGetErrorString(cudnnStatus_t) { return "bad parameter"; }
inline cudnnStatus_t cudnnCreate(cudnnHandle_t* handle) {
  return *handle = reinterpret_cast<cudnnHandle_t>(1), CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnCreateTensorDescriptor(cudnnTensorDescriptor_t* tensor) {
  return *tensor = new cuda_on_host::DnnArray, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnDestroyTensorDescriptor(cudnnTensorDescriptor_t tensor) {
  return delete tensor, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnCreateFilterDescriptor(cudnnFilterDescriptor_t* filter) {
  return cudnnCreateTensorDescriptor(filter);
}
inline cudnnStatus_t cudnnDestroyFilterDescriptor(cudnnFilterDescriptor_t filter) {
  return cudnnDestroyTensorDescriptor(filter);
}
inline cudnnStatus_t cudnnCreateConvolutionDescriptor(cudnnConvolutionDescriptor_t* convolution) {
  return *convolution = new cuda_on_host::DnnConvolution, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnDestroyConvolutionDescriptor(cudnnConvolutionDescriptor_t convolution) {
  return delete convolution, CUDNN_STATUS_SUCCESS;
}
// Plain order alone.
inline cudnnStatus_t cudnnSetTensorNdDescriptor(cudnnTensorDescriptor_t tensor, cudnnDataType_t type, int count,
                                                const int* dims, const int* steps) {
  if (count < 4 || steps[count - 1] != 1) return CUDNN_STATUS_BAD_PARAM;
  for (int i = 1; i < count; ++i) {
    if (steps[i - 1] != steps[i] * dims[i]) return CUDNN_STATUS_NOT_SUPPORTED;
  }
  return *tensor = {type, std::vector<int>(dims, dims + count)}, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnSetFilterNdDescriptor(cudnnFilterDescriptor_t filter, cudnnDataType_t type,
                                                cudnnTensorFormat_t, int count, const int* dims) {
  return *filter = {type, std::vector<int>(dims, dims + count)}, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnSetConvolutionNdDescriptor(cudnnConvolutionDescriptor_t convolution, int axes, const int* pad,
                                                     const int* stride, const int* dilation,
                                                     cudnnConvolutionMode_t mode, cudnnDataType_t type) {
  if (mode != CUDNN_CROSS_CORRELATION) return CUDNN_STATUS_NOT_SUPPORTED;
  const auto sizes = [axes](const int* first) { return std::vector<int>(first, first + axes); };
  return *convolution = {type, sizes(pad), sizes(stride), sizes(dilation)}, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnSetConvolutionGroupCount(cudnnConvolutionDescriptor_t convolution, int groups) {
  return convolution->groups = groups, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnSetConvolutionMathType(cudnnConvolutionDescriptor_t convolution, cudnnMathType_t math) {
  return convolution->math = math, CUDNN_STATUS_SUCCESS;
}

namespace cuda_on_host {

inline bool Fits(const DnnArray& in, const DnnArray& weights, const DnnConvolution& c, const DnnArray& out) {
  bool fits = in.type == c.type && weights.type == c.type && out.type == c.type && c.math == CUDNN_FMA_MATH &&
              in.dims.size() == c.pad.size() + 2 && out.dims.size() == in.dims.size() && in.dims[0] == out.dims[0] &&
              weights.dims[0] == out.dims[1] && weights.dims[1] * c.groups == in.dims[1];
  for (std::size_t a = 0; fits && a < c.pad.size(); ++a) {
    const int span = c.dilation[a] * (weights.dims[a + 2] - 1) + 1;
    fits = out.dims[a + 2] == (in.dims[a + 2] + 2 * c.pad[a] - span) / c.stride[a] + 1;
  }
  return fits;
}

template <typename Answer>
cudnnStatus_t Ways(bool fits, int most, int* count, Answer* answers) {
  if (!fits || most < 2) return CUDNN_STATUS_BAD_PARAM;
  static_cast<DnnAnswer&>(answers[0]) = {1, CUDNN_STATUS_SUCCESS, 1, 0, CUDNN_NON_DETERMINISTIC, CUDNN_FMA_MATH};
  static_cast<DnnAnswer&>(answers[1]) = {kRepeats,      CUDNN_STATUS_SUCCESS, 2,
                                         kDnnWorkspace, CUDNN_DETERMINISTIC,  CUDNN_FMA_MATH};
  return *count = 2, CUDNN_STATUS_SUCCESS;
}

// visit(index into in, into weights, into out) for every product of the convolution.
template <typename Visit>
void ForEachProduct(const DnnArray& in, const DnnArray& weights, const DnnConvolution& c, const DnnArray& out,
                    Visit visit) {
  const int axes = static_cast<int>(c.pad.size());
  const auto positions = [&](const DnnArray& array) {
    return std::accumulate(array.dims.begin() + 2, array.dims.end(), 1, std::multiplies<>());
  };
  const int of_in = positions(in), of_out = positions(out), taps = positions(weights);
  const int inputs = weights.dims[1], outputs = out.dims[1] / c.groups;
  for (int o = 0; o < of_out; ++o) {
    for (int t = 0; t < taps; ++t) {
      int at = 0, step = 1, rest_o = o, rest_t = t;
      bool inside = true;
      for (int a = axes - 1; a >= 0; --a) {
        const int place =
            rest_o % out.dims[a + 2] * c.stride[a] - c.pad[a] + rest_t % weights.dims[a + 2] * c.dilation[a];
        inside = inside && place >= 0 && place < in.dims[a + 2];
        at += place * step;
        step *= in.dims[a + 2];
        rest_o /= out.dims[a + 2];
        rest_t /= weights.dims[a + 2];
      }
      if (!inside) continue;
      for (int n = 0; n < in.dims[0]; ++n) {
        for (int k = 0; k < out.dims[1]; ++k) {
          for (int i = 0; i < inputs; ++i) {
            visit((n * in.dims[1] + k / outputs * inputs + i) * of_in + at, (k * inputs + i) * taps + t,
                  (n * out.dims[1] + k) * of_out + o);
          }
        }
      }
    }
  }
}

// result = alpha * sum(a[i] b[j]) + beta * result, by add(&i, &j, &r) of every product.
template <typename Index>
cudnnStatus_t SumProducts(const DnnArray& in, const DnnArray& weights, const DnnConvolution& c, const DnnArray& out,
                          int algorithm, const void* workspace, std::size_t bytes, const void* alpha, const void* beta,
                          const void* a, const void* b, const DnnArray& of_result, void* result, Index index) {
  const bool has_room = bytes >= kDnnWorkspace && devices[current_device].Has(workspace);
  if (!Fits(in, weights, c, out) || algorithm != kRepeats || !has_room) return CUDNN_STATUS_BAD_PARAM;
  const OnDevice on_device;
  const int count = std::accumulate(of_result.dims.begin(), of_result.dims.end(), 1, std::multiplies<>());
  std::vector<double> sums(count);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    ForEachProduct(in, weights, c, out, [&](int i, int w, int o) {
      const auto [x, y, r] = index(i, w, o);
      sums[r] += static_cast<double>(static_cast<const T*>(a)[x]) * static_cast<const T*>(b)[y];
    });
    T* to = static_cast<T*>(result);
    const T before = *static_cast<const T*>(beta);
    for (int i = 0; i < count; ++i) {
      to[i] = static_cast<T>(*static_cast<const T*>(alpha) * sums[i] + (before == 0 ? 0 : before * to[i]));
    }
  };
  c.type == CUDNN_DATA_FLOAT ? run(0.0f) : run(0.0);
  return CUDNN_STATUS_SUCCESS;
}
struct Indices {
  int x, y, r;
};

}  // namespace cuda_on_host

inline cudnnStatus_t cudnnGetConvolutionForwardAlgorithm_v7(cudnnHandle_t, cudnnTensorDescriptor_t in,
                                                            cudnnFilterDescriptor_t weights,
                                                            cudnnConvolutionDescriptor_t c, cudnnTensorDescriptor_t out,
                                                            int most, int* count,
                                                            cudnnConvolutionFwdAlgoPerf_t* answers) {
  return cuda_on_host::Ways(cuda_on_host::Fits(*in, *weights, *c, *out), most, count, answers);
}
inline cudnnStatus_t cudnnGetConvolutionBackwardDataAlgorithm_v7(cudnnHandle_t, cudnnFilterDescriptor_t weights,
                                                                 cudnnTensorDescriptor_t out,
                                                                 cudnnConvolutionDescriptor_t c,
                                                                 cudnnTensorDescriptor_t in, int most, int* count,
                                                                 cudnnConvolutionBwdDataAlgoPerf_t* answers) {
  return cuda_on_host::Ways(cuda_on_host::Fits(*in, *weights, *c, *out), most, count, answers);
}
inline cudnnStatus_t cudnnGetConvolutionBackwardFilterAlgorithm_v7(
    cudnnHandle_t, cudnnTensorDescriptor_t in, cudnnTensorDescriptor_t out, cudnnConvolutionDescriptor_t c,
    cudnnFilterDescriptor_t weights, int most, int* count, cudnnConvolutionBwdFilterAlgoPerf_t* answers) {
  return cuda_on_host::Ways(cuda_on_host::Fits(*in, *weights, *c, *out), most, count, answers);
}
inline cudnnStatus_t cudnnConvolutionForward(cudnnHandle_t, const void* alpha, cudnnTensorDescriptor_t in,
                                             const void* x, cudnnFilterDescriptor_t weights, const void* w,
                                             cudnnConvolutionDescriptor_t c, int algorithm, void* workspace,
                                             std::size_t bytes, const void* beta, cudnnTensorDescriptor_t out,
                                             void* y) {
  return cuda_on_host::SumProducts(*in, *weights, *c, *out, algorithm, workspace, bytes, alpha, beta, x, w, *out, y,
                                   [](int i, int k, int o) {
                                     return cuda_on_host::Indices{i, k, o};
                                   });
}
inline cudnnStatus_t cudnnConvolutionBackwardData(cudnnHandle_t, const void* alpha, cudnnFilterDescriptor_t weights,
                                                  const void* w, cudnnTensorDescriptor_t out, const void* dy,
                                                  cudnnConvolutionDescriptor_t c, int algorithm, void* workspace,
                                                  std::size_t bytes, const void* beta, cudnnTensorDescriptor_t in,
                                                  void* dx) {
  return cuda_on_host::SumProducts(*in, *weights, *c, *out, algorithm, workspace, bytes, alpha, beta, dy, w, *in, dx,
                                   [](int i, int k, int o) {
                                     return cuda_on_host::Indices{o, k, i};
                                   });
}
inline cudnnStatus_t cudnnConvolutionBackwardFilter(cudnnHandle_t, const void* alpha, cudnnTensorDescriptor_t in,
                                                    const void* x, cudnnTensorDescriptor_t out, const void* dy,
                                                    cudnnConvolutionDescriptor_t c, int algorithm, void* workspace,
                                                    std::size_t bytes, const void* beta,
                                                    cudnnFilterDescriptor_t weights, void* dw) {
  return cuda_on_host::SumProducts(*in, *weights, *c, *out, algorithm, workspace, bytes, alpha, beta, x, dy, *weights,
                                   dw, [](int i, int k, int o) {
                                     return cuda_on_host::Indices{i, o, k};
                                   });
}

inline cudnnStatus_t cudnnCreatePoolingDescriptor(cudnnPoolingDescriptor_t* windows) {
  return *windows = new cuda_on_host::DnnWindows, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnDestroyPoolingDescriptor(cudnnPoolingDescriptor_t windows) {
  return delete windows, CUDNN_STATUS_SUCCESS;
}
inline cudnnStatus_t cudnnSetPooling2dDescriptor(cudnnPoolingDescriptor_t windows, cudnnPoolingMode_t mode,
                                                 cudnnNanPropagation_t, int kernel_h, int kernel_w, int pad_h,
                                                 int pad_w, int stride_h, int stride_w) {
  return *windows = {mode, {kernel_h, kernel_w}, {pad_h, pad_w}, {stride_h, stride_w}}, CUDNN_STATUS_SUCCESS;
}

namespace cuda_on_host {

// visit(index into in, into out) for every value of every window; false where these are not the windows of `out`, or
// too large: a library may refuse.
constexpr int kLargestDnnWindow = 6;
template <typename Visit>
cudnnStatus_t ForEachInWindows(const DnnWindows& w, const DnnArray& in, const DnnArray& out, Visit visit) {
  bool fits = w.mode == CUDNN_POOLING_AVERAGE_COUNT_INCLUDE_PADDING && in.type == out.type && in.dims.size() == 4 &&
              out.dims.size() == 4 && in.dims[0] == out.dims[0] && in.dims[1] == out.dims[1];
  for (int a = 0; fits && a < 2; ++a) {
    fits = out.dims[a + 2] == (in.dims[a + 2] + 2 * w.pad[a] - w.kernel[a]) / w.stride[a] + 1;
  }
  if (!fits) return CUDNN_STATUS_BAD_PARAM;
  if (w.kernel[0] > kLargestDnnWindow) return CUDNN_STATUS_NOT_SUPPORTED;
  const OnDevice on_device;
  const int rows = in.dims[2], columns = in.dims[3];
  int o = 0;
  for (int plane = 0; plane < in.dims[0] * in.dims[1]; ++plane) {
    for (int ph = 0; ph < out.dims[2]; ++ph) {
      for (int pw = 0; pw < out.dims[3]; ++pw, ++o) {
        for (int t = 0; t < w.kernel[0] * w.kernel[1]; ++t) {
          const int h = ph * w.stride[0] - w.pad[0] + t / w.kernel[1],
                    v = pw * w.stride[1] - w.pad[1] + t % w.kernel[1];
          if (h >= 0 && h < rows && v >= 0 && v < columns) visit((plane * rows + h) * columns + v, o);
        }
      }
    }
  }
  return CUDNN_STATUS_SUCCESS;
}

// A factor in a call. Not inlined, or the compiler warns of the branch that is not taken.
[[gnu::noinline]] inline double Factor(cudnnDataType_t type, const void* value) {
  return type == CUDNN_DATA_FLOAT ? *static_cast<const float*>(value) : *static_cast<const double*>(value);
}

// result = alpha * mean of windows of `from`, or its transpose.
inline cudnnStatus_t Average(const DnnWindows& w, const DnnArray& in, const DnnArray& out, const void* alpha,
                             const void* beta, const void* from, void* result, bool back) {
  const std::vector<int>& dims = (back ? in : out).dims;
  std::vector<double> sums(std::accumulate(dims.begin(), dims.end(), 1, std::multiplies<>()));
  if (Factor(in.type, beta) != 0) return CUDNN_STATUS_NOT_SUPPORTED;
  const double share = Factor(in.type, alpha) / (w.kernel[0] * w.kernel[1]);
  const auto run = [&](auto zero) {
    using T = decltype(zero);
    const cudnnStatus_t status = ForEachInWindows(
        w, in, out, [&](int i, int o) { sums[back ? i : o] += static_cast<const T*>(from)[back ? o : i]; });
    if (status != CUDNN_STATUS_SUCCESS) return status;
    const OnDevice on_device;
    for (std::size_t i = 0; i < sums.size(); ++i) static_cast<T*>(result)[i] = static_cast<T>(share * sums[i]);
    return status;
  };
  return in.type == CUDNN_DATA_FLOAT ? run(0.0f) : run(0.0);
}

}  // namespace cuda_on_host

inline cudnnStatus_t cudnnPoolingForward(cudnnHandle_t, cudnnPoolingDescriptor_t windows, const void* alpha,
                                         cudnnTensorDescriptor_t in, const void* x, const void* beta,
                                         cudnnTensorDescriptor_t out, void* y) {
  return cuda_on_host::Average(*windows, *in, *out, alpha, beta, x, y, false);
}
inline cudnnStatus_t cudnnPoolingBackward(cudnnHandle_t, cudnnPoolingDescriptor_t windows, const void* alpha,
                                          cudnnTensorDescriptor_t out, const void*, cudnnTensorDescriptor_t,
                                          const void* dy, cudnnTensorDescriptor_t in, const void*, const void* beta,
                                          cudnnTensorDescriptor_t, void* dx) {
  return cuda_on_host::Average(*windows, *in, *out, alpha, beta, dy, dx, true);
}
