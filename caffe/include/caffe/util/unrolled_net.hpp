// The parts of an unrolled recurrent network that LSTM and RNN share.
#pragma once

#include <string>
#include <vector>

#include "caffe/common.hpp"
#include "caffe/proto/caffe.pb.h"

namespace caffe {

// Writes the layers of a network over T steps. Blobs of step t are called "<name>_<t>", t from 1 on; a layer is called
// like its top.
class UnrolledNetWriter {
 public:
  // `gates` is how many values the state is made into for each of its own. Throws Error for num_output 0, and for more
  // than the weights of that product can be. `params` and `net` must outlive the writer.
  UnrolledNetWriter(const RecurrentParameter& params, int gates, NetParameter* net);

  // A layer with these bottoms and one top. Gradients go to the bottoms for which `propagate_down`, given or not
  // needed, says so.
  LayerParameter* Add(const string& type, const vector<string>& bottoms, const string& top,
                      const vector<bool>& propagate_down = {});
  void AddInput(const string& name, const BlobShape& shape);
  // `top` = weights * bottom (+ bias) over the axes of `bottom` from `axis` on; `bias` may be empty. Layers that name
  // the same weights share them.
  LayerParameter* AddProduct(const string& bottom, const string& top, int axis, int outputs, const string& weights,
                             const string& bias);
  // The steps of `blob` (T, ...) as blobs (1, ...), and back.
  void AddSlice(const string& blob, int steps);
  void AddConcat(const string& blob, int steps);
  // The contribution of the inputs to every step: "<sum>_x_<t>", one for each of the steps, from "x"; and, for
  // `static_input`, "<sum>_x_static" (1, N, outputs) from "x_static".
  void AddInputProducts(const string& sum, int steps, bool static_input, int outputs, const string& weights,
                        const string& bias);
  // `top` = the sum of what comes from the inputs and from `hidden` at step t.
  void AddStepSum(const string& sum, int step, bool static_input, const string& hidden, const string& top);
  // "<state>_conted_<t-1>": the state before step t, 0 where a sequence begins. The gradient goes back to the state.
  string AddContinued(const string& state, int step);

  static string Step(const string& name, int step) { return name + "_" + std::to_string(step); }

 private:
  const RecurrentParameter& params_;
  NetParameter* net_;
};

// (1, streams, values), the shape of a part of the state.
BlobShape StateShape(int streams, int values);

}  // namespace caffe
