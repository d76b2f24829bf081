// Nets and solvers in GPU mode against CPU mode.
#include <string>
#include <vector>

#include "tests/caffe/gpu/gpu_mode.hpp"
#include "tests/support/net_text.hpp"
#include "tests/support/solver_problem.hpp"

namespace rxnn::testing {
namespace {

using caffe::Caffe;

// What AlexNet, GoogLeNet, SqueezeNet and ResNet are made of, small.
std::string MixedNet() {
  const auto convolution = [](int outputs, int kernel, int pad, int group = 1) {
    return "convolution_param { num_output: " + std::to_string(outputs) + " kernel_size: " + std::to_string(kernel) +
           " pad: " + std::to_string(pad) + " group: " + std::to_string(group) + " weight_filler { type: 'xavier' } }";
  };
  return InputLayer("data", {4, 2, 9, 9}) + InputLayer("label", {4}) +
         SimpleLayer("Convolution", "conv1", "data", "conv1", convolution(4, 3, 1)) +
         SimpleLayer("BatchNorm", "bn1", "conv1", "conv1") +
         SimpleLayer("Scale", "scale1", "conv1", "conv1", "scale_param { bias_term: true }") +
         SimpleLayer("ReLU", "relu1", "conv1", "conv1") +
         SimpleLayer("Pooling", "pool1", "conv1", "pool1", "pooling_param { kernel_size: 3 stride: 2 }") +
         SimpleLayer("LRN", "norm1", "pool1", "norm1", "lrn_param { local_size: 3 }") +
         SimpleLayer("Convolution", "left", "norm1", "left", convolution(4, 1, 0)) +
         SimpleLayer("Convolution", "right", "norm1", "right", convolution(4, 3, 1, 2)) +
         SimpleLayer("Eltwise", "sum", "left", "sum", "bottom: 'norm1'") +
         SimpleLayer("Concat", "both", "sum", "both", "bottom: 'right'") +
         SimpleLayer("Pooling", "pool2", "both", "pool2", "pooling_param { pool: AVE global_pooling: true }") +
         IpLayer("ip", "pool2", 3) + LossLayer("loss", "ip");
}

template <typename Dtype>
class GpuNet : public ::testing::Test {};
TYPED_TEST_SUITE(GpuNet, BothTypes);

TYPED_TEST(GpuNet, HasLossAndGradientsOfTheCpu) {
  std::vector<std::vector<double>> results[2];
  for (const Caffe::Brew mode : {Caffe::CPU, Caffe::GPU}) {
    const ModeScope scope(mode);
    const auto made = MakeNet<TypeParam>(MixedNet(), caffe::TRAIN);
    caffe::Net<TypeParam>& net = *made;
    FillInputs(&net);
    for (int pass = 0; pass < 2; ++pass) {
      net.ClearParamDiffs();
      results[mode].push_back({static_cast<double>(net.ForwardBackward())});
      for (const caffe::Blob<TypeParam>* param : net.learnable_params()) results[mode].push_back(Diff(*param));
      net.Update();
    }
    for (const auto& blob : net.blobs()) results[mode].push_back(Data(*blob));
  }
  ASSERT_EQ(results[0].size(), results[1].size());
  for (size_t i = 0; i < results[0].size(); ++i) {
    double largest = 0;
    for (const double value : results[0][i]) largest = std::max(largest, std::abs(value));
    SCOPED_TRACE(i);
    ExpectAllNear(results[1][i], results[0][i], tolerance::kOtherDeviceNet<TypeParam> * std::max(largest, 1.0));
  }
}

TEST(GpuNets, KeepBlobsOnTheGpu) {
  const ModeScope scope(Caffe::GPU);
  const auto made = MakeNet<float>(MixedNet(), caffe::TRAIN);
  caffe::Net<float>& net = *made;
  FillInputs(&net);
  for (int pass = 0; pass < 2; ++pass) {
    net.ClearParamDiffs();
    net.ForwardBackward();
    net.Update();
  }
  for (size_t i = 0; i < net.blobs().size(); ++i) {
    const std::string& name = net.blob_names()[i];
    if (name == "data" || name == "label" || name == "loss") continue;
    EXPECT_EQ(net.blobs()[i]->data()->head(), caffe::SyncedMemory::HEAD_AT_GPU) << name;
  }
  for (const caffe::Blob<float>* param : net.learnable_params()) {
    EXPECT_EQ(param->data()->head(), caffe::SyncedMemory::HEAD_AT_GPU);
    EXPECT_EQ(param->diff()->head(), caffe::SyncedMemory::HEAD_AT_GPU);
  }
}

TEST(GpuNets, ChangeModeBetweenPasses) {
  const auto net = MakeNet<double>(MixedNet());
  FillInputs(net.get());
  double cpu = 0, gpu = 0;
  net->Forward(&cpu);
  {
    const ModeScope scope(Caffe::GPU);
    net->Forward(&gpu);
  }
  EXPECT_NEAR(gpu, cpu, tolerance::kOtherDeviceNet<double>);
  net->Forward(&cpu);
  EXPECT_NEAR(gpu, cpu, tolerance::kOtherDeviceNet<double>);
}

TEST(GpuSolvers, TrainAsOnTheCpu) {
  const std::vector<std::string> solvers = {
      "type: 'SGD' momentum: 0.9 weight_decay: 0.01",
      "type: 'SGD' momentum: 0.9 weight_decay: 0.01 regularization_type: 'L1' iter_size: 2 clip_gradients: 0.5",
      "type: 'Nesterov' momentum: 0.9 weight_decay: 0.01",
      "type: 'AdaGrad'",
      "type: 'RMSProp' rms_decay: 0.9",
      "type: 'AdaDelta' momentum: 0.9 delta: 1e-6",
      "type: 'Adam' momentum: 0.9 momentum2: 0.99 delta: 1e-8",
  };
  for (const std::string& text : solvers) {
    SCOPED_TRACE(text);
    std::vector<double> weights[2], history[2];
    for (const Caffe::Brew mode : {Caffe::CPU, Caffe::GPU}) {
      const ModeScope scope(mode);
      const auto solver =
          MakeSolver<double>("base_lr: 0.1 lr_policy: 'fixed' max_iter: 5 snapshot_after_train: false " + text);
      solver->Step(5);
      weights[mode] = Weights(solver.get());
      history[mode] = History(solver.get());
    }
    ExpectAllNear(weights[1], weights[0], tolerance::kReorderedTraining);
    ExpectAllNear(history[1], history[0], tolerance::kReorderedTraining);
  }
}

}  // namespace
}  // namespace rxnn::testing
