// Convolution on resistive crossbars.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "caffe/layers/conv_layer.hpp"
#include "rxnn_layers/layer_crossbars.hpp"
#include "rxnn_layers/patches.hpp"

namespace rxnn {

// Takes convolution_param as the plain layer does (groups, dilation, stride, pad, any number of spatial axes), and
// crossbar_param. Every image of the batch has its own input range unless crossbar_param.input_range is given. Backward
// is the plain layer's (straight-through); STORED conductances have none.
template <typename Dtype>
class CrossbarConvolutionLayer : public caffe::ConvolutionLayer<Dtype> {
 public:
  using Blobs = std::vector<caffe::Blob<Dtype>*>;
  using caffe::ConvolutionLayer<Dtype>::ConvolutionLayer;

  const char* type() const override { return "CrossbarConvolution"; }
  void LayerSetUp(const Blobs& bottom, const Blobs& top) override;

 protected:
  void Forward_cpu(const Blobs& bottom, const Blobs& top) override;
  void Backward_cpu(const Blobs& top, const std::vector<bool>& propagate_down, const Blobs& bottom) override;

 private:
  // Some images of a batch as codes.
  struct CodedImages {
    std::vector<std::int32_t> codes;
    std::vector<InputScale> scales;  // one per image
  };
  // Output positions first .. first + count - 1 of one group of one image of CodedImages.
  struct Block {
    int image;
    int group;
    int first;
    int count;
  };

  ConvolutionGeometry Geometry() const;
  CodedImages Encode(const Dtype* bottom, int images) const;
  void Calibrate(CrossbarMatrix& matrix, const PatchGatherer& gatherer, const Dtype* bottom) const;
  // Calls visit(block, patches) for every block of `images` images, in parallel; the first exception is passed on.
  template <typename Visit>
  void ForEachBlock(const PatchGatherer& gatherer, const CodedImages& coded, Visit&& visit) const;
  // Images that are coded at a time: bounds the memory.
  int ImagesAtATime() const;

  std::unique_ptr<LayerCrossbars<Dtype>> crossbars_;
};

}  // namespace rxnn
