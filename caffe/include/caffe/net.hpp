// A network: layers in order of execution, the blobs between them, and the parameters they learn.
#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "caffe/blob.hpp"
#include "caffe/common.hpp"
#include "caffe/layer.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

template <typename Dtype>
struct Followers;

// Errors of a layer (set-up, reshape, forward, backward) reach the caller with the layer's name and type in front.
template <typename Dtype>
class Net {
 public:
  explicit Net(const NetParameter& param);
  // Reads a prototxt; `phase`, `level` and `stages` choose the layers that take part.
  Net(const string& param_file, Phase phase, int level = 0, const vector<string>* stages = nullptr);
  virtual ~Net() = default;
  void Init(const NetParameter& param);

  // Runs all layers; `loss` receives the weighted sum of losses. Returns the output blobs.
  const vector<Blob<Dtype>*>& Forward(Dtype* loss = nullptr);
  // Older forms: the same, and the same after copying `bottom` into the input blobs (throws Error for another number or
  // shape of blobs).
  const vector<Blob<Dtype>*>& ForwardPrefilled(Dtype* loss = nullptr) { return Forward(loss); }
  const vector<Blob<Dtype>*>& Forward(const vector<Blob<Dtype>*>& bottom, Dtype* loss = nullptr);
  // Layers start..end, both included.
  Dtype ForwardFromTo(int start, int end);
  Dtype ForwardFrom(int start) { return ForwardFromTo(start, static_cast<int>(layers_.size()) - 1); }
  Dtype ForwardTo(int end) { return ForwardFromTo(0, end); }

  void ClearParamDiffs();
  // Backward needs no arguments: gradients start at the loss weights. start >= end.
  void Backward();
  void BackwardFromTo(int start, int end);
  void BackwardFrom(int start) { BackwardFromTo(start, 0); }
  void BackwardTo(int end) { BackwardFromTo(static_cast<int>(layers_.size()) - 1, end); }
  Dtype ForwardBackward();

  // Propagates changed input shapes through all layers.
  void Reshape();
  // Lets shared parameters use the memory of their owners. Called by the constructors.
  void ShareWeights();
  // params -= their diffs, each shared blob once.
  void Update();

  // Parameters of layers of the same name: shared, or copied. Copying throws Error for a different number or shape of
  // blobs, naming the layer; layers absent from the source keep what they have.
  void ShareTrainedLayersWith(const Net* other);
  void CopyTrainedLayersFrom(const NetParameter& param);
  // `file` is a binary NetParameter of any age, or HDF5 when it ends in ".h5".
  void CopyTrainedLayersFrom(const string& file);
  void CopyTrainedLayersFromBinaryProto(const string& file);
  void CopyTrainedLayersFromHDF5(const string& file);

  // Layers with their parameters.
  void ToProto(NetParameter* param, bool write_diff = false) const;
  void ToHDF5(const string& file, bool write_diff = false) const;

  const string& name() const { return name_; }
  Phase phase() const { return phase_; }
  const vector<string>& layer_names() const { return layer_names_; }
  const vector<string>& blob_names() const { return blob_names_; }
  const vector<shared_ptr<Blob<Dtype>>>& blobs() const { return blobs_; }
  const vector<shared_ptr<Layer<Dtype>>>& layers() const { return layers_; }
  const vector<vector<Blob<Dtype>*>>& bottom_vecs() const { return bottom_vecs_; }
  const vector<vector<Blob<Dtype>*>>& top_vecs() const { return top_vecs_; }
  const vector<int>& top_ids(int i) const { return top_id_vecs_.at(i); }
  const vector<int>& bottom_ids(int i) const { return bottom_id_vecs_.at(i); }
  const vector<vector<bool>>& bottom_need_backward() const { return bottom_need_backward_; }
  const vector<bool>& layer_need_backward() const { return layer_need_backward_; }
  const vector<Dtype>& blob_loss_weights() const { return blob_loss_weights_; }

  // All parameter blobs, and those that are not shares of another.
  const vector<shared_ptr<Blob<Dtype>>>& params() const { return params_; }
  const vector<Blob<Dtype>*>& learnable_params() const { return learnable_params_; }
  // For each of params(), its index in learnable_params().
  const vector<int>& learnable_param_ids() const { return learnable_param_ids_; }
  const vector<float>& params_lr() const { return params_lr_; }
  const vector<bool>& has_params_lr() const { return has_params_lr_; }
  const vector<float>& params_weight_decay() const { return params_weight_decay_; }
  const vector<bool>& has_params_decay() const { return has_params_decay_; }
  const map<string, int>& param_names_index() const { return param_names_index_; }
  const vector<int>& param_owners() const { return param_owners_; }
  const vector<string>& param_display_names() const { return param_display_names_; }

  // Inputs are tops of Input layers; outputs are tops that no layer reads, sorted by name.
  int num_inputs() const { return static_cast<int>(net_input_blobs_.size()); }
  int num_outputs() const { return static_cast<int>(net_output_blobs_.size()); }
  const vector<Blob<Dtype>*>& input_blobs() const { return net_input_blobs_; }
  const vector<Blob<Dtype>*>& output_blobs() const { return net_output_blobs_; }
  const vector<int>& input_blob_indices() const { return net_input_blob_indices_; }
  const vector<int>& output_blob_indices() const { return net_output_blob_indices_; }

  bool has_blob(const string& name) const { return blob_names_index_.count(name) != 0; }
  // Null (with a warning in the log) for an unknown name.
  const shared_ptr<Blob<Dtype>> blob_by_name(const string& name) const;
  bool has_layer(const string& name) const { return layer_names_index_.count(name) != 0; }
  const shared_ptr<Layer<Dtype>> layer_by_name(const string& name) const;

  // Logs mean magnitudes of data and gradients, layer by layer, in Forward, Backward and Update.
  void set_debug_info(bool value) { debug_info_ = value; }

  // The layers of `param` whose include/exclude rules its state meets.
  static void FilterNet(const NetParameter& param, NetParameter* filtered);
  static bool StateMeetsRule(const NetState& state, const NetStateRule& rule, const string& layer_name);

  // Run before and after every layer; the caller keeps them alive.
  class Callback {
   public:
    virtual ~Callback() = default;

   protected:
    virtual void run(int layer) = 0;
    template <typename T>
    friend class Net;
  };
  const vector<Callback*>& before_forward() const { return before_forward_; }
  void add_before_forward(Callback* value) { before_forward_.push_back(value); }
  const vector<Callback*>& after_forward() const { return after_forward_; }
  void add_after_forward(Callback* value) { after_forward_.push_back(value); }
  const vector<Callback*>& before_backward() const { return before_backward_; }
  void add_before_backward(Callback* value) { before_backward_.push_back(value); }
  const vector<Callback*>& after_backward() const { return after_backward_; }
  void add_after_backward(Callback* value) { after_backward_.push_back(value); }

 protected:
  void AppendLayer(const NetParameter& param, int layer_id, set<string>* available_blobs,
                   map<string, int>* blob_name_to_idx);
  void AppendTop(const NetParameter& param, int layer_id, int top_id, set<string>* available_blobs,
                 map<string, int>* blob_name_to_idx);
  int AppendBottom(const NetParameter& param, int layer_id, int bottom_id, set<string>* available_blobs,
                   map<string, int>* blob_name_to_idx);
  void AppendParam(const NetParameter& param, int layer_id, int param_id);
  void PropagateNeedBackward(const NetParameter& param);
  // Finds the layers that one before them can do with its own work (fused_).
  void PlanFusion();
  // Whether layer i and its followers may run as one in a pass that ends with layer `end`: nobody looks between them.
  bool MayFuse(int i, int end) const;
  // Runs layer i and its followers as one; false, and nothing done, where they cannot.
  bool ForwardFused(int i);
  // Runs what was fused again, layer by layer, for the state that their Backward needs; blobs stay as they are. Not
  // what a backward pass from `start` to `end` can run as one, too.
  void RunFusedApart(int start, int end);
  // Backward of a layer that was fused and not run apart, with all that it was fused with when its turn comes; false,
  // and nothing done, for other layers.
  bool BackwardFused(int i);
  Followers<Dtype> FollowersOf(int i) const;
  void InputDebugInfo();
  void ForwardDebugInfo(int layer_id);
  void BackwardDebugInfo(int layer_id);
  void AllParamsDebugInfo();
  void UpdateDebugInfo(int param_id);

  string name_;
  Phase phase_ = TEST;
  vector<shared_ptr<Layer<Dtype>>> layers_;
  vector<string> layer_names_;
  map<string, int> layer_names_index_;
  vector<bool> layer_need_backward_;
  vector<shared_ptr<Blob<Dtype>>> blobs_;
  vector<string> blob_names_;
  map<string, int> blob_names_index_;
  vector<bool> blob_need_backward_;
  vector<vector<Blob<Dtype>*>> bottom_vecs_;
  vector<vector<int>> bottom_id_vecs_;
  vector<vector<bool>> bottom_need_backward_;
  vector<vector<Blob<Dtype>*>> top_vecs_;
  vector<vector<int>> top_id_vecs_;
  vector<Dtype> blob_loss_weights_;
  vector<vector<int>> param_id_vecs_;
  vector<int> param_owners_;
  vector<string> param_display_names_;
  vector<pair<int, int>> param_layer_indices_;
  map<string, int> param_names_index_;
  vector<int> net_input_blob_indices_;
  vector<int> net_output_blob_indices_;
  vector<Blob<Dtype>*> net_input_blobs_;
  vector<Blob<Dtype>*> net_output_blobs_;
  vector<shared_ptr<Blob<Dtype>>> params_;
  vector<Blob<Dtype>*> learnable_params_;
  vector<int> learnable_param_ids_;
  vector<float> params_lr_;
  vector<bool> has_params_lr_;
  vector<float> params_weight_decay_;
  vector<bool> has_params_decay_;
  size_t memory_used_ = 0;
  // For each layer, the layers behind it that change its top in place and can run with it.
  vector<vector<int>> fused_;
  // Layers whose last Forward ran with followers and left no state for the Backward of each by itself.
  set<int> ran_fused_;
  bool debug_info_ = false;
  vector<Callback*> before_forward_;
  vector<Callback*> after_forward_;
  vector<Callback*> before_backward_;
  vector<Callback*> after_backward_;

  DISABLE_COPY_AND_ASSIGN(Net);
};

}  // namespace caffe
