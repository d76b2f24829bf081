// Networks from text.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "caffe/net.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {

inline caffe::NetParameter NetText(const std::string& text, caffe::Phase phase = caffe::TEST) {
  caffe::NetParameter param;
  if (!google::protobuf::TextFormat::ParseFromString(text, &param)) {
    throw std::invalid_argument("the test's net does not parse: " + text);
  }
  param.mutable_state()->set_phase(phase);
  return param;
}

// Fillers draw the same values every time.
template <typename Dtype>
std::unique_ptr<caffe::Net<Dtype>> MakeNet(const std::string& text, caffe::Phase phase = caffe::TEST) {
  caffe::Caffe::set_random_seed(1701);
  return std::make_unique<caffe::Net<Dtype>>(NetText(text, phase));
}

// Fills the inputs with values in [-1, 1), the same every time; those called "label" with 0, 1, 2, 0, 1 ...
template <typename Dtype>
void FillInputs(caffe::Net<Dtype>* net) {
  for (int i = 0; i < net->num_inputs(); ++i) {
    caffe::Blob<Dtype>& blob = *net->input_blobs()[i];
    if (net->blob_names()[net->input_blob_indices()[i]] == "label") {
      for (int k = 0; k < blob.count(); ++k) blob.mutable_cpu_data()[k] = static_cast<Dtype>(k % 3);
    } else {
      blob.CopyFrom(*RandomBlob<Dtype>(blob.shape(), -1, 1, 31 + i));
    }
  }
}

// "layer { ... }" of the commonest kinds.
inline std::string InputLayer(const std::string& top, const std::vector<int>& shape) {
  std::string text = "layer { name: '" + top + "' type: 'Input' top: '" + top + "' input_param { shape {";
  for (const int dim : shape) text += " dim: " + std::to_string(dim);
  return text + " } } } ";
}
inline std::string IpLayer(const std::string& name, const std::string& bottom, int outputs,
                           const std::string& more = "") {
  return "layer { name: '" + name + "' type: 'InnerProduct' bottom: '" + bottom + "' top: '" + name + "' " + more +
         " inner_product_param { num_output: " + std::to_string(outputs) +
         " weight_filler { type: 'xavier' } bias_filler { type: 'uniform' min: -1 max: 1 } } } ";
}
inline std::string SimpleLayer(const std::string& type, const std::string& name, const std::string& bottom,
                               const std::string& top, const std::string& more = "") {
  return "layer { name: '" + name + "' type: '" + type + "' bottom: '" + bottom + "' top: '" + top + "' " + more +
         " } ";
}
inline std::string LossLayer(const std::string& name, const std::string& bottom, const std::string& more = "") {
  return "layer { name: '" + name + "' type: 'SoftmaxWithLoss' bottom: '" + bottom + "' bottom: 'label' top: '" + name +
         "' " + more + " } ";
}

}  // namespace rxnn::testing
