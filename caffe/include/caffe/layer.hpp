// The unit of computation: reads bottom blobs, writes top blobs, and back for gradients.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/layer_factory.hpp"
#include "caffe/proto/caffe.pb.h"
#include "caffe/util/math_functions.hpp"

namespace caffe {

// To add a layer: derive, implement type(), Reshape, Forward_cpu and Backward_cpu (and LayerSetUp for what is done
// once), then INSTANTIATE_CLASS and REGISTER_LAYER_CLASS in its source file.
template <typename Dtype>
class Layer {
 public:
  // Takes weights over from param.blobs, if there are any.
  explicit Layer(const LayerParameter& param);
  virtual ~Layer() = default;

  // Checks blob counts, then LayerSetUp, Reshape and the loss weights. Called once, by Net.
  void SetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  // What is done once: read the parameters, shape and fill blobs_.
  virtual void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) {}
  // Gives top blobs and buffers the shape that the bottoms ask for. Called before every Forward.
  virtual void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) = 0;

  // Reshape, then compute top from bottom; returns the weighted loss of this layer.
  Dtype Forward(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  // Gradients of bottoms (where propagate_down) and, added to what is there, of blobs_ (where param_propagate_down).
  void Backward(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                const vector<Blob<Dtype>*>& bottom);

  vector<shared_ptr<Blob<Dtype>>>& blobs() { return blobs_; }
  const LayerParameter& layer_param() const { return layer_param_; }
  // Parameter message with the current blobs.
  virtual void ToProto(LayerParameter* param, bool write_diff = false);

  // Weight of a top in the objective, 0 where it has none.
  Dtype loss(int top_index) const;
  void set_loss(int top_index, Dtype value);

  // Called before the blobs of `source`, a layer of a weights file, are taken; throws where they are not for this
  // layer, whatever their shapes.
  virtual void CheckWeightsOf(const LayerParameter& source) const {}

  // What the layer counted since it was made, by name: for logs and scripts. Most layers count nothing.
  virtual vector<std::pair<string, double>> Statistics() const { return {}; }
  // Counts in this layer's what a copy of it in another net has counted.
  virtual void AddStatisticsOf(const Layer& copy) {}
  // Whether what Forward does with a batch depends on the batches before it: batches are then not shared out among
  // copies of the net.
  virtual bool NeedsBatchesInOrder() const { return false; }

  // Whether the layer takes the time of the parts of its Forward from now on. Most layers have no parts.
  virtual void TimeParts(bool on) {}
  // Seconds that these parts have taken so far, by name: on average over the threads that worked on them.
  virtual vector<std::pair<string, double>> PartSeconds() const { return {}; }

  // The name by which prototxt files call the layer.
  virtual const char* type() const { return ""; }

  // Numbers of blobs; -1: not constrained.
  virtual int ExactNumBottomBlobs() const { return -1; }
  virtual int MinBottomBlobs() const { return -1; }
  virtual int MaxBottomBlobs() const { return -1; }
  virtual int ExactNumTopBlobs() const { return -1; }
  virtual int MinTopBlobs() const { return -1; }
  virtual int MaxTopBlobs() const { return -1; }
  virtual bool EqualNumBottomTopBlobs() const { return false; }
  // Net makes the tops that are needed and not named.
  virtual bool AutoTopBlobs() const { return false; }
  // Whether force_backward reaches this bottom (labels: no).
  virtual bool AllowForceBackward(int bottom_index) const { return true; }

  bool param_propagate_down(int param_id) const;
  void set_param_propagate_down(int param_id, bool value);

 protected:
  LayerParameter layer_param_;
  Phase phase_;
  vector<shared_ptr<Blob<Dtype>>> blobs_;
  vector<bool> param_propagate_down_;
  vector<Dtype> loss_;

  virtual void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) = 0;
  // What GPU mode runs. Without a body of the layer's own: its form for the GPU (caffe/util/where.hpp), else the CPU's;
  // in a build without CUDA an Error.
  virtual void Forward_gpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  virtual void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom) = 0;
  virtual void Backward_gpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                            const vector<Blob<Dtype>*>& bottom);
  virtual void CheckBlobCounts(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top);
  // Writes the loss weights into the diffs of the tops.
  void SetLossWeights(const vector<Blob<Dtype>*>& top);

 private:
  DISABLE_COPY_AND_ASSIGN(Layer);
};

}  // namespace caffe

// In the class of a layer whose Forward and Backward are written once for CPU and GPU, or for the GPU beside the CPU's:
// caffe/util/where.hpp.
#define FORMS_FOR_CPU_AND_GPU                                                                                      \
 public:                                                                                                           \
  template <typename Where>                                                                                        \
  void ForwardOn(const std::vector<::caffe::Blob<Dtype>*>& bottom, const std::vector<::caffe::Blob<Dtype>*>& top); \
  template <typename Where>                                                                                        \
  void BackwardOn(const std::vector<::caffe::Blob<Dtype>*>& top, const std::vector<bool>& propagate_down,          \
                  const std::vector<::caffe::Blob<Dtype>*>& bottom)
