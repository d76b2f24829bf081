// Base of layers that run a small network once for every time step, each step reading the state of the one before.
#pragma once

#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/net.hpp"

namespace caffe {

// Bottoms: x (T, N, ...), N streams side by side of which one batch holds T steps; cont (T, N), 0 where a sequence
// begins and 1 where it goes on, so that the state of step t - 1 is multiplied by cont[t]; then, if there are more, a
// static input (N, ...) that every step reads alike. Top: the outputs (T, N, num_output).
// The state at the end of a batch is the one before the first step of the next. With expose_hidden it comes from
// bottoms and goes to tops instead, one (1, N, num_output) for each part of the state, behind the others; gradients
// flow through both. T is fixed at set-up, N is not. Parameters (recurrent_param): num_output, weight_filler,
// bias_filler, expose_hidden (false), debug_info (false).
//
// The steps are laid out side by side in a network of their own, whose layers share their parameters; blobs() are
// these. A derived layer says what the steps are (FillUnrolledNet) and which blobs carry the state.
template <typename Dtype>
class RecurrentLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void LayerSetUp(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  // Forgets the state.
  virtual void Reset();

  const char* type() const override { return "Recurrent"; }
  int MinBottomBlobs() const override { return 2 + ExposedBlobs(); }
  int MaxBottomBlobs() const override { return MinBottomBlobs() + 1; }
  int ExactNumTopBlobs() const override { return 1 + ExposedBlobs(); }
  bool AllowForceBackward(int bottom_index) const override { return bottom_index != 1; }
  // The state goes from batch to batch, unless it is a bottom.
  bool NeedsBatchesInOrder() const override { return ExposedBlobs() == 0; }

 protected:
  // Adds the layers of all steps to `net_param`, which has the inputs x, cont and, with a static input, x_static. The
  // inputs of the state are for the derived layer to add.
  virtual void FillUnrolledNet(NetParameter* net_param) const = 0;
  // Blobs of the state before the first step, their shapes, and, in the same order, the blobs of the state behind the
  // last step.
  virtual void RecurrentInputBlobNames(vector<string>* names) const = 0;
  virtual void RecurrentInputShapes(vector<BlobShape>* shapes) const = 0;
  virtual void RecurrentOutputBlobNames(vector<string>* names) const = 0;
  // The blob that is the top.
  virtual void OutputBlobNames(vector<string>* names) const = 0;

  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  shared_ptr<Net<Dtype>> unrolled_net_;
  int N_ = 0;  // streams
  int T_ = 0;  // steps
  bool static_input_ = false;
  bool expose_hidden_ = false;
  // The last layer that runs: behind it are only those that make Net go backward from the outputs.
  int last_layer_index_ = 0;
  vector<Blob<Dtype>*> recur_input_blobs_;
  vector<Blob<Dtype>*> recur_output_blobs_;
  vector<Blob<Dtype>*> output_blobs_;
  Blob<Dtype>* x_input_blob_ = nullptr;
  Blob<Dtype>* x_static_input_blob_ = nullptr;
  Blob<Dtype>* cont_input_blob_ = nullptr;

 private:
  int ExposedBlobs() const;
  // That x, cont and the static input agree in their steps and streams.
  void RequireStreams(const vector<Blob<Dtype>*>& bottom) const;
  // The whole network for these bottoms, inputs and all.
  NetParameter UnrolledNet(const vector<Blob<Dtype>*>& bottom) const;
  void TakeParametersOfNet();
  // Bottoms and tops of the state: the first of them.
  int FirstExposedBottom() const { return 2 + static_input_; }
  int FirstExposedTop() const { return static_cast<int>(output_blobs_.size()); }

  // Copies of recur_output_blobs_ with a gradient of their own, where they are exposed.
  vector<Blob<Dtype>*> exposed_blobs_;
};

}  // namespace caffe
