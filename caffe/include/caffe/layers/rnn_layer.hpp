// The simple recurrent network (Elman 1990).
#pragma once

#include <string>
#include <vector>

#include "caffe/layers/recurrent_layer.hpp"

namespace caffe {

// h_t = tanh(W_xh x_t + b_h + W_xh_static x_static + W_hh (cont_t h_{t-1})),    o_t = tanh(W_ho h_t + b_o)
// Bottoms, top and parameters: RecurrentLayer; the top is o. The state is h.
// blobs(): W_xh (num_output, inputs), b_h (num_output), with a static input W_xh_static (num_output, its inputs),
// W_hh (num_output, num_output), W_ho (num_output, num_output), b_o (num_output).
template <typename Dtype>
class RNNLayer : public RecurrentLayer<Dtype> {
 public:
  using RecurrentLayer<Dtype>::RecurrentLayer;
  const char* type() const override { return "RNN"; }

 protected:
  void FillUnrolledNet(NetParameter* net_param) const override;
  void RecurrentInputBlobNames(vector<string>* names) const override;
  void RecurrentInputShapes(vector<BlobShape>* shapes) const override;
  void RecurrentOutputBlobNames(vector<string>* names) const override;
  void OutputBlobNames(vector<string>* names) const override;
};

}  // namespace caffe
