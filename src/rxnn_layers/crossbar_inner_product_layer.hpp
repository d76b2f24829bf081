// InnerProduct on resistive crossbars.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "caffe/layers/inner_product_layer.hpp"
#include "rxnn_layers/layer_crossbars.hpp"

namespace rxnn {

// Takes inner_product_param as the plain layer does, and crossbar_param. Every input vector has its own input range
// unless crossbar_param.input_range is given. Backward is the plain layer's (straight-through); STORED conductances
// have none.
template <typename Dtype>
class CrossbarInnerProductLayer : public caffe::InnerProductLayer<Dtype> {
 public:
  using Blobs = std::vector<caffe::Blob<Dtype>*>;
  using caffe::InnerProductLayer<Dtype>::InnerProductLayer;

  const char* type() const override { return "CrossbarInnerProduct"; }
  void LayerSetUp(const Blobs& bottom, const Blobs& top) override;
  std::vector<std::pair<std::string, double>> Statistics() const override { return crossbars_->Statistics(); }
  void AddStatisticsOf(const caffe::Layer<Dtype>& copy) override {
    crossbars_->AddConversions(static_cast<const CrossbarInnerProductLayer&>(copy).crossbars_->conversions());
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
  std::unique_ptr<LayerCrossbars<Dtype>> crossbars_;
  std::shared_ptr<LayerOnGpu> on_gpu_;  // made by the first Forward in GPU mode
  std::vector<float> x_;                // a copy in float32 where Dtype is double
};

}  // namespace rxnn
