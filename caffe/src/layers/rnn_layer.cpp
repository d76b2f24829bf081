#include "caffe/layers/rnn_layer.hpp"

#include "caffe/util/unrolled_net.hpp"

namespace caffe {

template <typename Dtype>
void RNNLayer<Dtype>::RecurrentInputBlobNames(vector<string>* names) const {
  *names = {"h_0"};
}

template <typename Dtype>
void RNNLayer<Dtype>::RecurrentOutputBlobNames(vector<string>* names) const {
  *names = {UnrolledNetWriter::Step("h", this->T_)};
}

template <typename Dtype>
void RNNLayer<Dtype>::RecurrentInputShapes(vector<BlobShape>* shapes) const {
  const int outputs = static_cast<int>(this->layer_param_.recurrent_param().num_output());
  shapes->assign(1, StateShape(this->N_, outputs));
}

template <typename Dtype>
void RNNLayer<Dtype>::OutputBlobNames(vector<string>* names) const {
  *names = {"o"};
}

template <typename Dtype>
void RNNLayer<Dtype>::FillUnrolledNet(NetParameter* net_param) const {
  UnrolledNetWriter net(this->layer_param_.recurrent_param(), 1, net_param);
  const int outputs = static_cast<int>(this->layer_param_.recurrent_param().num_output());
  net.AddInput("h_0", StateShape(this->N_, outputs));
  net.AddSlice("cont", this->T_);
  net.AddInputProducts("in", this->T_, this->static_input_, outputs, "W_xh", "b_h");
  for (int t = 1; t <= this->T_; ++t) {
    const string hidden = net.Step("in_h", t), in = net.Step("in", t), out = net.Step("out", t);
    net.AddProduct(net.AddContinued("h", t), hidden, 2, outputs, "W_hh", "");
    net.AddStepSum("in", t, this->static_input_, hidden, in);
    net.Add("TanH", {in}, net.Step("h", t));
    net.AddProduct(net.Step("h", t), out, 2, outputs, "W_ho", "b_o");
    net.Add("TanH", {out}, net.Step("o", t));
  }
  net.AddConcat("o", this->T_);
}

INSTANTIATE_CLASS(RNNLayer);
REGISTER_LAYER_CLASS(RNN);

}  // namespace caffe
