// What takes the place of GPU code in a build without CUDA: bodies that say so when they are called.
#pragma once

#include "caffe/error.hpp"

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
