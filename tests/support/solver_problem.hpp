// A small problem for solvers, and a look at its weights and gradients.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "caffe/sgd_solvers.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {

// Eight images of five values in three classes; a bias that learns twice as fast and does not decay, one parameter that
// two layers share, and, with `dropout`, randomness in every step.
inline std::string SolverProblemNet(bool dropout = false) {
  return std::string(R"(
    name: "problem"
    layer { name: "data" type: "Input" top: "data" top: "label"
            input_param { shape { dim: 8 dim: 5 } shape { dim: 8 } } }
    layer { name: "ip1" type: "InnerProduct" bottom: "data" top: "ip1"
            param { lr_mult: 1 } param { lr_mult: 2 decay_mult: 0 }
            inner_product_param { num_output: 5 weight_filler { type: "xavier" } } }
    layer { name: "tanh" type: "TanH" bottom: "ip1" top: "ip1" }
    layer { name: "ip2" type: "InnerProduct" bottom: "ip1" top: "ip2" param { name: "shared" }
            inner_product_param { num_output: 5 bias_term: false weight_filler { type: "xavier" } } }
    layer { name: "ip3" type: "InnerProduct" bottom: "ip2" top: "ip3" param { name: "shared" }
            inner_product_param { num_output: 5 bias_term: false weight_filler { type: "xavier" } } }
  )") + (dropout ? "layer { name: 'drop' type: 'Dropout' bottom: 'ip3' top: 'ip3' }" : "") +
         R"(
    layer { name: "loss" type: "SoftmaxWithLoss" bottom: "ip3" bottom: "label" top: "loss" }
  )";
}

inline caffe::SolverParameter SolverText(const std::string& text, const std::string& net = SolverProblemNet()) {
  caffe::SolverParameter param;
  const std::string whole = text + " net_param { " + net + " }";
  if (!google::protobuf::TextFormat::ParseFromString(whole, &param)) {
    throw std::invalid_argument("the test's solver does not parse: " + whole);
  }
  return param;
}

// The solver a text describes, its inputs filled.
template <typename Dtype>
std::unique_ptr<caffe::Solver<Dtype>> MakeSolver(const std::string& text, const std::string& net = SolverProblemNet(),
                                                 int seed = 7) {
  std::unique_ptr<caffe::Solver<Dtype>> solver(
      caffe::SolverRegistry<Dtype>::CreateSolver(SolverText("random_seed: " + std::to_string(seed) + " " + text, net)));
  caffe::Blob<Dtype>& data = *solver->net()->input_blobs()[0];
  data.CopyFrom(*RandomBlob<Dtype>(data.shape(), -1, 1, 11));
  caffe::Blob<Dtype>& label = *solver->net()->input_blobs()[1];
  for (int i = 0; i < label.count(); ++i) label.mutable_cpu_data()[i] = static_cast<Dtype>(i % 3);
  return solver;
}

// All weights, or all gradients, one after the other.
template <typename Dtype>
std::vector<double> Weights(caffe::Solver<Dtype>* solver) {
  std::vector<double> all;
  for (const caffe::Blob<Dtype>* blob : solver->net()->learnable_params()) {
    const std::vector<double> values = Data(*blob);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}
template <typename Dtype>
std::vector<double> Gradients(caffe::Solver<Dtype>* solver) {
  std::vector<double> all;
  for (const caffe::Blob<Dtype>* blob : solver->net()->learnable_params()) {
    const std::vector<double> values = Diff(*blob);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}
template <typename Dtype>
std::vector<double> History(caffe::Solver<Dtype>* solver) {
  std::vector<double> all;
  for (const auto& blob : dynamic_cast<caffe::SGDSolver<Dtype>*>(solver)->history()) {
    const std::vector<double> values = Data(*blob);
    all.insert(all.end(), values.begin(), values.end());
  }
  return all;
}

// Runs functions at the two places of a step where callbacks run.
template <typename Dtype>
class SolverCallback : public caffe::Solver<Dtype>::Callback {
 public:
  explicit SolverCallback(
      std::function<void()> on_gradients, std::function<void()> on_start = [] {})
      : on_gradients_(std::move(on_gradients)), on_start_(std::move(on_start)) {}

 protected:
  void on_start() override { on_start_(); }
  void on_gradients_ready() override { on_gradients_(); }

 private:
  std::function<void()> on_gradients_, on_start_;
};

}  // namespace rxnn::testing
