#include "caffe/layers/lstm_layer.hpp"

#include "caffe/util/unrolled_net.hpp"

namespace caffe {

template <typename Dtype>
void LSTMLayer<Dtype>::RecurrentInputBlobNames(vector<string>* names) const {
  *names = {"h_0", "c_0"};
}

template <typename Dtype>
void LSTMLayer<Dtype>::RecurrentOutputBlobNames(vector<string>* names) const {
  *names = {UnrolledNetWriter::Step("h", this->T_), UnrolledNetWriter::Step("c", this->T_)};
}

template <typename Dtype>
void LSTMLayer<Dtype>::RecurrentInputShapes(vector<BlobShape>* shapes) const {
  const int outputs = static_cast<int>(this->layer_param_.recurrent_param().num_output());
  shapes->assign(2, StateShape(this->N_, outputs));
}

template <typename Dtype>
void LSTMLayer<Dtype>::OutputBlobNames(vector<string>* names) const {
  *names = {"h"};
}

template <typename Dtype>
void LSTMLayer<Dtype>::FillUnrolledNet(NetParameter* net_param) const {
  constexpr int kGates = 4;
  UnrolledNetWriter net(this->layer_param_.recurrent_param(), kGates, net_param);
  const int outputs = static_cast<int>(this->layer_param_.recurrent_param().num_output());
  net.AddInput("h_0", StateShape(this->N_, outputs));
  net.AddInput("c_0", StateShape(this->N_, outputs));
  net.AddSlice("cont", this->T_);
  net.AddInputProducts("gates", this->T_, this->static_input_, kGates * outputs, "W_xc", "b_c");
  for (int t = 1; t <= this->T_; ++t) {
    const string hidden = net.Step("gates_h", t), gates = net.Step("gates", t);
    net.AddProduct(net.AddContinued("h", t), hidden, 2, kGates * outputs, "W_hc", "");
    net.AddStepSum("gates", t, this->static_input_, hidden, gates);
    LayerParameter* unit =
        net.Add("LSTMUnit", {net.Step("c", t - 1), gates, net.Step("cont", t)}, net.Step("c", t), {true, true, false});
    unit->set_name(net.Step("unit", t));
    unit->add_top(net.Step("h", t));
  }
  net.AddConcat("h", this->T_);
}

INSTANTIATE_CLASS(LSTMLayer);
REGISTER_LAYER_CLASS(LSTM);

}  // namespace caffe
