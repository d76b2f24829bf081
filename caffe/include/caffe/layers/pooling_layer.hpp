#pragma once

#include <vector>

#include "caffe/layer.hpp"

namespace caffe {

namespace onednn {
class Pooling;
}
struct PoolingGeometry;

// Reduces windows of (N, C, H, W) images to one value each.
//
// Along each axis: outputs = (size + 2 pad - kernel) / stride + 1, rounded up (round_mode CEIL, default; a
// kernel may then be larger than the image by less than a stride) or down; the last output is dropped if its window
// would start beyond image + pad.
//  MAX         the largest value in the window; padding never wins. A second top receives its flat index in the image.
//  AVE         the sum, divided by the size of the window clipped to the padded image: padding counts as zeros, what
//              CEIL adds beyond it does not count.
//  STOCHASTIC  of non-negative values: in TRAIN phase a value drawn with probability proportional to itself, in TEST
//              phase the expectation sum(x^2) / sum(x). No pad.
//
// Parameters (pooling_param): pool; kernel_size or kernel_h and kernel_w; stride or stride_h and stride_w (1); pad or
// pad_h and pad_w (0), smaller than the kernel; global_pooling: the window is the whole image; round_mode.
template <typename Dtype>
class PoolingLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "Pooling"; }
  int ExactNumBottomBlobs() const override { return 1; }
  int MinTopBlobs() const override { return 1; }
  int MaxTopBlobs() const override {
    return this->layer_param_.pooling_param().pool() == PoolingParameter_PoolMethod_MAX ? 2 : 1;
  }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int kernel_h_ = 0, kernel_w_ = 0;
  int stride_h_ = 1, stride_w_ = 1;
  int pad_h_ = 0, pad_w_ = 0;
  int channels_ = 0;
  int height_ = 0, width_ = 0;
  int pooled_height_ = 0, pooled_width_ = 0;
  bool global_pooling_ = false;
  PoolingParameter_RoundMode round_mode_ = PoolingParameter_RoundMode_CEIL;
  // Flat index in the image that each output was taken from; unused where a second top holds it.
  Blob<int> max_idx_;
  // Random numbers in [0, 1), one for each output.
  Blob<Dtype> rand_idx_;

 private:
  PoolingGeometry Geometry() const;
  int PooledSize(int size, int kernel, int stride, int pad) const;
  // body(plane, output, window) for every output, planes (image, channel) in threads.
  template <typename Body>
  void ForEachWindow(int planes, Body body) const;

  // No window reaches beyond the padded image, so that every average divides by the kernel's size.
  bool AveragesWholeWindows() const;

  // call(library, shape) for averages by a library on the GPU; false, and nothing done, where there is none for them.
  template <typename Call>
  bool ByLibraryOnGpu(const Blob<Dtype>& bottom, Call call) const;
  // By oneDNN, where windows are its; false, and nothing done, otherwise.
  bool ForwardOnednn(const Blob<Dtype>& bottom, const vector<Blob<Dtype>*>& top);
  template <typename Index>
  void ForwardMax(const Dtype* bottom, int planes, Dtype* top, Index* index) const;
  template <typename Index>
  void BackwardIndexed(const Dtype* top_diff, const Index* index, int planes, Dtype* bottom_diff) const;
  void ForwardAverage(const Dtype* bottom, int planes, Dtype* top) const;
  void BackwardAverage(const Dtype* top_diff, int planes, Dtype* bottom_diff) const;
  void ForwardSample(const Dtype* bottom, int planes, Dtype* top, int* index);
  void ForwardExpectation(const Dtype* bottom, int planes, Dtype* top) const;
  void BackwardExpectation(const Dtype* bottom, const Dtype* top, const Dtype* top_diff, int planes,
                           Dtype* bottom_diff) const;

  shared_ptr<onednn::Pooling> onednn_;
};

}  // namespace caffe
