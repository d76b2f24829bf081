// What layers with code for the GPU are written with: in a build without CUDA (CPU_ONLY), bodies that say so when they
// are called; else what their kernels are started with.
#pragma once

#include "caffe/error.hpp"

#ifndef CPU_ONLY
// Tests run kernels on the host, with an emulator that is included before anything else.
#ifndef RXNN_CUDA_ON_HOST
#include <cuda_runtime.h>
#endif

// Error for a call that failed, and for a kernel that could not be started.
#define CUDA_CHECK(condition)                                                                            \
  do {                                                                                                   \
    const cudaError_t cuda_check_error = condition;                                                      \
    if (cuda_check_error != cudaSuccess) {                                                               \
      throw ::caffe::Error(std::string("GPU: " #condition ": ") + cudaGetErrorString(cuda_check_error)); \
    }                                                                                                    \
  } while (false)
#define CUDA_POST_KERNEL_CHECK CUDA_CHECK(cudaPeekAtLastError())
// for (i in [0, n)): every thread of the grid takes some.
#define CUDA_KERNEL_LOOP(i, n) for (int i = blockIdx.x * blockDim.x + threadIdx.x; i < (n); i += blockDim.x * gridDim.x)

namespace caffe {
constexpr int CAFFE_CUDA_NUM_THREADS = 512;
// Blocks of that many threads for n elements.
inline int CAFFE_GET_BLOCKS(const int n) { return (n + CAFFE_CUDA_NUM_THREADS - 1) / CAFFE_CUDA_NUM_THREADS; }
}  // namespace caffe
#endif

#define NO_GPU throw ::caffe::Error("this build has no GPU support: use CPU mode")

// Both GPU members of a layer, or one of them: STUB_GPU_FORWARD(MyLayer, Forward) defines MyLayer::Forward_gpu.
#define STUB_GPU(classname)            \
  STUB_GPU_FORWARD(classname, Forward) \
  STUB_GPU_BACKWARD(classname, Backward)
#define STUB_GPU_FORWARD(classname, funcname)                                             \
  template <typename Dtype>                                                               \
  void classname<Dtype>::funcname##_gpu(const std::vector<::caffe::Blob<Dtype>*>& bottom, \
                                        const std::vector<::caffe::Blob<Dtype>*>& top) {  \
    NO_GPU;                                                                               \
  }
#define STUB_GPU_BACKWARD(classname, funcname)                                              \
  template <typename Dtype>                                                                 \
  void classname<Dtype>::funcname##_gpu(const std::vector<::caffe::Blob<Dtype>*>& top,      \
                                        const std::vector<bool>& propagate_down,            \
                                        const std::vector<::caffe::Blob<Dtype>*>& bottom) { \
    NO_GPU;                                                                                 \
  }
