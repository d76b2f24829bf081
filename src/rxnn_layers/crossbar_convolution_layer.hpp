// Convolution on resistive crossbars.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "caffe/followers.hpp"
#include "caffe/layers/conv_layer.hpp"
#include "rxnn/convolution.hpp"
#include "rxnn_layers/layer_crossbars.hpp"

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
  bool ForwardWith(const caffe::Followers<Dtype>& followers, const Blobs& bottom, const Blobs& top) override;
  std::vector<std::pair<std::string, double>> Statistics() const override { return crossbars_->Statistics(); }
  void AddStatisticsOf(const caffe::Layer<Dtype>& copy) override {
    crossbars_->AddConversions(static_cast<const CrossbarConvolutionLayer&>(copy).crossbars_->conversions());
  }
  void CheckWeightsOf(const caffe::LayerParameter& source) const override {
    CheckStoredFor(this->layer_param_.crossbar_param(), source.crossbar_param());
  }
  bool NeedsBatchesInOrder() const override { return crossbars_->depends_on_history(); }
  void TimeParts(bool on) override { crossbars_->TimeParts(on); }
  std::vector<std::pair<std::string, double>> PartSeconds() const override { return crossbars_->PartSeconds(); }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const Blobs& bottom, const Blobs& top) override;
  void Backward_cpu(const Blobs& top, const std::vector<bool>& propagate_down, const Blobs& bottom) override;

 private:
  ConvolutionGeometry Geometry() const;
  // Forward with what followers make of an output.
  void ForwardAs(const caffe::Followers<Dtype>& followers, const Blobs& bottom, const Blobs& top);
  void SetOutputMap(const caffe::Followers<Dtype>& followers);
  // Codes some images of a bottom.
  void Encode(const Dtype* bottom, int first, int count, ConvolutionVectors* vectors);
  void Calibrate(CrossbarMatrix& matrix, const Dtype* bottom, int together, ConvolutionVectors* vectors);
  // Multiplies the images that `vectors` hold, the first of which is number `first` of the top.
  void Multiply(const CrossbarMatrix& matrix, const ConvolutionVectors& vectors, std::uint64_t first_read, int first,
                Dtype* top);

  std::unique_ptr<LayerCrossbars<Dtype>> crossbars_;
  std::shared_ptr<LayerOnGpu> on_gpu_;  // made by the first Forward in GPU mode
  std::vector<float> images_;           // a copy in float32 where Dtype is double
  // An output is relu(gain * sum + bias).
  std::vector<double> gains_;
  std::vector<float> bias_;
  Dtype negative_slope_ = 1;
};

}  // namespace rxnn
