// Long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates).
#pragma once

#include <string>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/layers/recurrent_layer.hpp"

namespace caffe {

// With s the sigmoid, a the products with the weights, and h, c the outputs and cells of the step before (0 where a
// sequence begins):
//   a = W_xc x_t + b_c + W_xc_static x_static + W_hc (cont_t h_{t-1}),    a = (a_i, a_f, a_o, a_g)
//   c_t = cont_t s(a_f) c_{t-1} + s(a_i) tanh(a_g),    h_t = s(a_o) tanh(c_t)
// Bottoms, top and parameters: RecurrentLayer; the top is h. The state is h, then c.
// blobs(): W_xc (4 num_output, inputs), b_c (4 num_output), with a static input W_xc_static (4 num_output, its inputs),
// W_hc (4 num_output, num_output).
template <typename Dtype>
class LSTMLayer : public RecurrentLayer<Dtype> {
 public:
  using RecurrentLayer<Dtype>::RecurrentLayer;
  const char* type() const override { return "LSTM"; }

 protected:
  void FillUnrolledNet(NetParameter* net_param) const override;
  void RecurrentInputBlobNames(vector<string>* names) const override;
  void RecurrentInputShapes(vector<BlobShape>* shapes) const override;
  void RecurrentOutputBlobNames(vector<string>* names) const override;
  void OutputBlobNames(vector<string>* names) const override;
};

// One step of the cells: bottoms c_{t-1} (1, N, D), a (1, N, 4 D) and cont_t (1, N); tops c_t and h_t (1, N, D), with
// the equations above. There is no gradient by cont.
template <typename Dtype>
class LSTMUnitLayer : public Layer<Dtype> {
 public:
  using Layer<Dtype>::Layer;
  void Reshape(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;

  const char* type() const override { return "LSTMUnit"; }
  int ExactNumBottomBlobs() const override { return 3; }
  int ExactNumTopBlobs() const override { return 2; }
  bool AllowForceBackward(int bottom_index) const override { return bottom_index != 2; }

  FORMS_FOR_CPU_AND_GPU;

 protected:
  void Forward_cpu(const vector<Blob<Dtype>*>& bottom, const vector<Blob<Dtype>*>& top) override;
  void Backward_cpu(const vector<Blob<Dtype>*>& top, const vector<bool>& propagate_down,
                    const vector<Blob<Dtype>*>& bottom) override;

  int hidden_dim_ = 0;  // D
  Blob<Dtype> X_acts_;  // the four gates behind their sigmoid or tanh, of the last Forward
  Blob<Dtype> tanh_c_;  // tanh(c_t) of the last Forward
};

}  // namespace caffe
