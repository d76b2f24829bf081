// Values in foreign layouts and layers that run as one must never be seen: every look at a float net, which computes
// with oneDNN, is held against the same net of doubles, which does not.
#include <functional>
#include <thread>

#include "caffe/layers/conv_layer.hpp"
#include "caffe/net.hpp"
#include "caffe/sgd_solvers.hpp"
#include "tests/support/net_text.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn::testing {
namespace {

using caffe::Net;
using caffe::TEST;
using caffe::TRAIN;

std::string Conv(const std::string& name, const std::string& bottom, const std::string& param) {
  return SimpleLayer(
      "Convolution", name, bottom, name,
      "convolution_param { " + param +
          " weight_filler { type: 'gaussian' std: 0.2 } bias_filler { type: 'uniform' min: -1 max: 1 } }");
}
std::string InPlace(const std::string& type, const std::string& name, const std::string& blob,
                    const std::string& more = "") {
  return SimpleLayer(type, name, blob, blob, more);
}
std::string Norm(const std::string& blob, const std::string& param = "") {
  return InPlace("BatchNorm", "bn_" + blob, blob, "batch_norm_param { " + param + " }") +
         InPlace("Scale", "scale_" + blob, blob,
                 "scale_param { filler { type: 'uniform' min: 0.5 max: 2 } bias_term: true "
                 "bias_filler { type: 'uniform' min: -1 max: 1 } }");
}
std::string Pool(const std::string& name, const std::string& bottom, const std::string& param) {
  return SimpleLayer("Pooling", name, bottom, name, "pooling_param { " + param + " }");
}
std::string Two(const std::string& type, const std::string& name, const std::string& a, const std::string& b,
                const std::string& more = "") {
  return "layer { name: '" + name + "' type: '" + type + "' bottom: '" + a + "' bottom: '" + b + "' top: '" + name +
         "' " + more + " } ";
}

const std::string kInput = InputLayer("data", {3, 5, 13, 11});
const std::string kHead = Conv("c1", "data", "num_output: 32 kernel_size: 3 pad: 1") + InPlace("ReLU", "r1", "c1");

struct Case {
  const char* name;
  std::string layers;
};

const Case kCases[] = {
    {"chain", kHead + Conv("c2", "c1", "num_output: 19 kernel_size: 3 stride: 2") + InPlace("ReLU", "r2", "c2") +
                  Conv("c3", "c2", "num_output: 7 kernel_size: 1")},
    {"groups", kHead + Conv("c2", "c1", "num_output: 64 kernel_size: 5 pad: 2 group: 2") +
                   Conv("c3", "c2", "num_output: 64 kernel_size: 3 pad: 1 group: 64") +
                   Conv("c4", "c3", "num_output: 6 kernel_size: 3 dilation: 2 group: 2")},
    {"leaky", Conv("c1", "data", "num_output: 20 kernel_size: 3") +
                  InPlace("ReLU", "r1", "c1", "relu_param { negative_slope: 0.3 }") +
                  SimpleLayer("ReLU", "r2", "c1", "r2", "relu_param { negative_slope: 0.2 }") +
                  Conv("c2", "r2", "num_output: 4 kernel_size: 2")},
    {"max pools", kHead + Pool("p1", "c1", "kernel_size: 3 stride: 2") +
                      Pool("p2", "p1", "kernel_size: 3 stride: 2 pad: 1 round_mode: FLOOR") +
                      Conv("c2", "p2", "num_output: 5 kernel_size: 1")},
    {"average pools", kHead + Pool("p1", "c1", "pool: AVE kernel_size: 3 stride: 2 pad: 1") +
                          Conv("c2", "p1", "num_output: 16 kernel_size: 3 pad: 1") +
                          Pool("p2", "c2", "pool: AVE kernel_size: 2 stride: 3") +
                          Conv("c3", "p2", "num_output: 16 kernel_size: 1") +
                          Pool("p3", "c3", "pool: AVE global_pooling: true")},
    {"lrn",
     kHead + SimpleLayer("LRN", "n1", "c1", "n1", "lrn_param { local_size: 5 alpha: 0.5 beta: 0.75 k: 1.5 }") +
         Conv("c2", "n1", "num_output: 24 kernel_size: 3") +
         SimpleLayer("LRN", "n2", "c2", "n2", "lrn_param { local_size: 3 alpha: 0.5 norm_region: WITHIN_CHANNEL }") +
         Conv("c3", "n2", "num_output: 3 kernel_size: 1")},
    {"concat", kHead + Conv("a", "c1", "num_output: 16 kernel_size: 1") + InPlace("ReLU", "ra", "a") +
                   Conv("b", "c1", "num_output: 32 kernel_size: 3 pad: 1") + Two("Concat", "ab", "a", "b") +
                   Conv("c2", "ab", "num_output: 10 kernel_size: 3") +
                   Conv("c3", "ab", "num_output: 6 kernel_size: 3") + Two("Concat", "cd", "c2", "c3") +
                   Conv("c4", "cd", "num_output: 4 kernel_size: 1")},
    {"sum", kHead + Conv("a", "c1", "num_output: 32 kernel_size: 1") +
                Two("Eltwise", "s", "a", "c1", "eltwise_param { coeff: 1 coeff: -0.5 }") + InPlace("ReLU", "rs", "s") +
                Conv("c2", "s", "num_output: 32 kernel_size: 1") +
                Two("Eltwise", "m", "c2", "s", "eltwise_param { operation: MAX }")},
    {"norm", Conv("c1", "data", "num_output: 32 kernel_size: 3 bias_term: false") + Norm("c1") +
                 InPlace("ReLU", "r1", "c1") + Conv("c2", "c1", "num_output: 18 kernel_size: 3 pad: 1") + Norm("c2") +
                 Two("Eltwise", "s", "c2", "c2") + Conv("c3", "s", "num_output: 4 kernel_size: 1") +
                 InPlace("BatchNorm", "bn3", "c3")},
    {"norm, then others in place",
     Conv("c1", "data", "num_output: 16 kernel_size: 3") + Norm("c1") + InPlace("ELU", "e1", "c1") +
         InPlace("Power", "p1", "c1", "power_param { scale: 2 }") + Conv("c2", "c1", "num_output: 8 kernel_size: 3")},
    {"plain layers between",
     kHead + InPlace("Sigmoid", "sg", "c1") + Conv("c2", "c1", "num_output: 16 kernel_size: 3") +
         SimpleLayer("Flatten", "f", "c2", "f") + IpLayer("ip", "f", 8) + InPlace("ReLU", "r3", "ip")},
    {"norm apart", Conv("c1", "data", "num_output: 16 kernel_size: 3") + SimpleLayer("BatchNorm", "bn", "c1", "bn") +
                       InPlace("ReLU", "r1", "bn") + Conv("c2", "bn", "num_output: 16 kernel_size: 3") +
                       InPlace("ReLU", "r2", "c2") +
                       InPlace("Scale", "s2", "c2", "scale_param { filler { value: 3 } }")},
};

// A float net and the same net of doubles, with equal parameters and inputs.
struct Twins {
  explicit Twins(const std::string& text, caffe::Phase phase = TEST)
      : single(MakeNet<float>("force_backward: true " + text, phase)),
        truth(MakeNet<double>("force_backward: true " + text, phase)) {
    FillInputs(single.get());
    for (const auto& param : single->params()) {
      for (int k = 0; k < param->count(); ++k) {
        float& value = param->mutable_cpu_data()[k];
        if (value == 0) value = 0.5f + 0.1f * static_cast<float>(k % 7);  // statistics of a norm
      }
    }
    CopyToTruth();
  }

  void CopyToTruth() {
    for (size_t i = 0; i < single->params().size(); ++i) Copy(*single->params()[i], truth->params()[i].get());
    for (int i = 0; i < single->num_inputs(); ++i) Copy(*single->input_blobs()[i], truth->input_blobs()[i]);
  }
  static void Copy(const caffe::Blob<float>& from, caffe::Blob<double>* to) {
    to->Reshape(from.shape());
    std::copy_n(from.cpu_data(), from.count(), to->mutable_cpu_data());
  }

  void Forward() {
    single->Forward();
    truth->Forward();
  }
  void Backward() {
    for (int i = 0; i < single->num_outputs(); ++i) {
      caffe::Blob<float>& output = *single->output_blobs()[i];
      const auto diff = RandomBlob<float>(output.shape(), -1, 1, 7);
      std::copy_n(diff->cpu_data(), output.count(), output.mutable_cpu_diff());
      std::copy_n(diff->cpu_data(), output.count(), truth->output_blobs()[i]->mutable_cpu_diff());
    }
    single->ClearParamDiffs();
    truth->ClearParamDiffs();
    single->Backward();
    truth->Backward();
  }

  // `largest`: of the terms that values are sums of, where that is more than the largest value.
  static void ExpectNear(const float* values, const double* expected, int count, double largest = 0) {
    for (int i = 0; i < count; ++i) largest = std::max(largest, std::abs(expected[i]));
    for (int i = 0; i < count; ++i) {
      ASSERT_NEAR(values[i], expected[i], tolerance::kLayerRelative * largest) << "at " << i << " of " << count;
    }
  }
  void ExpectSameBlob(const std::string& name) {
    SCOPED_TRACE("blob " + name);
    ExpectNear(single->blob_by_name(name)->cpu_data(), truth->blob_by_name(name)->cpu_data(),
               truth->blob_by_name(name)->count());
  }
  void ExpectSameData() {
    for (const std::string& name : single->blob_names()) ExpectSameBlob(name);
  }
  void ExpectSameDiffs() {
    // A bias before a norm has no gradient: what stands there is the rounding of sums of gradients.
    double largest = 0;
    for (const auto& param : truth->params()) {
      for (int i = 0; i < param->count(); ++i) largest = std::max(largest, std::abs(param->cpu_diff()[i]));
    }
    for (size_t i = 0; i < single->params().size(); ++i) {
      SCOPED_TRACE("parameter " + std::to_string(i));
      ExpectNear(single->params()[i]->cpu_diff(), truth->params()[i]->cpu_diff(), truth->params()[i]->count(), largest);
    }
    for (const std::string& name : single->blob_names()) {
      SCOPED_TRACE("diff of " + name);
      ExpectNear(single->blob_by_name(name)->cpu_diff(), truth->blob_by_name(name)->cpu_diff(),
                 truth->blob_by_name(name)->count());
    }
  }

  std::unique_ptr<Net<float>> single;
  std::unique_ptr<Net<double>> truth;
};

class NetOnednn : public ::testing::TestWithParam<std::tuple<size_t, caffe::Phase>> {
 protected:
  Twins twins_{kInput + kCases[std::get<0>(GetParam())].layers, std::get<1>(GetParam())};
};

TEST_P(NetOnednn, AllBlobsAreTheDoubleNets) {
  twins_.Forward();
  twins_.ExpectSameData();
}

TEST_P(NetOnednn, GradientsAreTheDoubleNetsAlsoOfPassesAfterChanges) {
  for (int pass = 0; pass < 3; ++pass) {
    SCOPED_TRACE("pass " + std::to_string(pass));
    twins_.Forward();
    twins_.Backward();
    twins_.ExpectSameDiffs();
    if (pass == 1) twins_.ExpectSameData();  // from now on everything was looked at
    for (const auto& param : twins_.single->params()) param->scale_data(0.9f);
    twins_.CopyToTruth();
  }
}

TEST_P(NetOnednn, OtherShapesOfTheInput) {
  for (const std::vector<int>& shape : {std::vector<int>{1, 5, 16, 9}, {4, 5, 10, 12}, {3, 5, 13, 11}}) {
    twins_.single->input_blobs()[0]->Reshape(shape);
    const bool flattens = twins_.single->has_layer("ip");
    if (flattens && shape[2] != 13) continue;
    FillInputs(twins_.single.get());
    twins_.CopyToTruth();
    twins_.Forward();
    twins_.Backward();
    twins_.ExpectSameData();
    twins_.ExpectSameDiffs();
  }
}

INSTANTIATE_TEST_SUITE_P(Nets, NetOnednn,
                         ::testing::Combine(::testing::Range<size_t>(0, std::size(kCases)),
                                            ::testing::Values(TEST, TRAIN)));

const std::string kNormed = kInput + Conv("c1", "data", "num_output: 32 kernel_size: 3") + Norm("c1") +
                            InPlace("ReLU", "r1", "c1") + Conv("c2", "c1", "num_output: 16 kernel_size: 3") +
                            InPlace("ReLU", "r2", "c2");

TEST(NetOnednnLooks, APassMayEndBetweenLayersThatRunAsOne) {
  Twins twins(kNormed);
  for (int end = 0; end < static_cast<int>(twins.single->layers().size()); ++end) {
    SCOPED_TRACE("up to " + twins.single->layer_names()[end]);
    twins.Forward();
    twins.single->ForwardTo(end);
    twins.truth->ForwardTo(end);
    twins.ExpectSameData();
    if (end + 1 < static_cast<int>(twins.single->layers().size())) {
      twins.single->ForwardFrom(end + 1);
      twins.truth->ForwardFrom(end + 1);
      twins.ExpectSameData();
    }
  }
}

TEST(NetOnednnLooks, PointersHandedOutShowLaterPasses) {
  Twins twins(kNormed);
  const float* read = twins.single->blob_by_name("c1")->cpu_data();
  const float* written = twins.single->blob_by_name("c2")->mutable_cpu_data();
  twins.Forward();
  Twins::ExpectNear(read, twins.truth->blob_by_name("c1")->cpu_data(), twins.truth->blob_by_name("c1")->count());
  Twins::ExpectNear(written, twins.truth->blob_by_name("c2")->cpu_data(), twins.truth->blob_by_name("c2")->count());
}

TEST(NetOnednnLooks, WhatIsWrittenThroughAKeptPointerIsRead) {
  Twins twins(kNormed);
  caffe::Blob<float>& blob = *twins.single->blob_by_name("c1");
  float* kept = blob.mutable_cpu_data();
  twins.Forward();
  std::fill_n(kept, blob.count(), 0.25f);
  twins.truth->blob_by_name("c1")->mutable_cpu_data();
  std::fill_n(twins.truth->blob_by_name("c1")->mutable_cpu_data(), blob.count(), 0.25);
  twins.single->ForwardFrom(4);
  twins.truth->ForwardFrom(4);
  twins.ExpectSameBlob("c2");
}

TEST(NetOnednnLooks, CallbacksSeeTheBlobAfterEachLayer) {
  struct Look : Net<float>::Callback {
    explicit Look(Net<float>* net) : net(net) {}
    void run(int layer) override {
      if (layer == 1) values.assign(Blob().cpu_data(), Blob().cpu_data() + Blob().count());
    }
    caffe::Blob<float>& Blob() { return *net->blob_by_name("c1"); }
    Net<float>* net;
    std::vector<float> values;
  };
  Twins twins(kNormed);
  Look look(twins.single.get());
  twins.single->add_after_forward(&look);
  twins.single->Forward();
  twins.truth->ForwardTo(1);
  Twins::ExpectNear(look.values.data(), twins.truth->blob_by_name("c1")->cpu_data(),
                    static_cast<int>(look.values.size()));
}

// ---- BatchNorm by the batch, with Scale and ReLU, as one

TEST(NetOnednnTrains, StatisticsOfTheBatchAreGathered) {
  Twins twins(kNormed, TRAIN);
  for (int pass = 0; pass < 2; ++pass) twins.Forward();
  for (size_t i = 0; i < twins.single->params().size(); ++i) {
    SCOPED_TRACE("parameter " + std::to_string(i));
    const auto& expected = *twins.truth->params()[i];
    Twins::ExpectNear(twins.single->params()[i]->cpu_data(), expected.cpu_data(), expected.count());
  }
}

// Each part of the backward pass in one call, whatever the layers at its ends ran with; and again, for the same net may
// be asked for several gradients after one Forward.
TEST(NetOnednnTrains, ABackwardPassMayEndBetweenLayersThatRanAsOne) {
  const auto backward = [](auto* net, int cut) {
    const int last = static_cast<int>(net->layers().size()) - 1;
    net->ClearParamDiffs();
    net->BackwardFromTo(last, cut);
    if (cut > 0) net->BackwardFromTo(cut - 1, 0);
  };
  Twins twins(kNormed, TRAIN);
  for (int cut = 0; cut < static_cast<int>(twins.single->layers().size()); ++cut) {
    SCOPED_TRACE("down to " + twins.single->layer_names()[cut]);
    twins.Forward();
    twins.Backward();
    twins.ExpectSameDiffs();
    for (int pass = 0; pass < 2; ++pass) {
      backward(twins.single.get(), cut);
      backward(twins.truth.get(), cut);
      twins.ExpectSameDiffs();
      twins.ExpectSameData();
    }
  }
}

TEST(NetOnednnTrains, CallbacksSeeTheGradientBehindEachLayer) {
  struct Look : Net<float>::Callback {
    explicit Look(Net<float>* net) : net(net) {}
    void run(int layer) override {
      const caffe::Blob<float>& blob = *net->blob_by_name("c1");
      if (layer == 3) values.assign(blob.cpu_diff(), blob.cpu_diff() + blob.count());
    }
    Net<float>* net;
    std::vector<float> values;
  };
  Twins twins(kNormed, TRAIN);
  Look look(twins.single.get());
  twins.Forward();
  twins.single->add_after_backward(&look);
  twins.Backward();
  twins.ExpectSameDiffs();
  twins.truth->BackwardFromTo(static_cast<int>(twins.truth->layers().size()) - 1, 3);
  Twins::ExpectNear(look.values.data(), twins.truth->blob_by_name("c1")->cpu_diff(),
                    static_cast<int>(look.values.size()));
}

// Nothing before the norm wants a gradient, and of the Scale only the shift does.
TEST(NetOnednnTrains, LayersThatAreNotTrainedStayAsTheyAre) {
  const std::string text =
      kInput +
      SimpleLayer("Convolution", "c1", "data", "c1",
                  "param { lr_mult: 0 } convolution_param { num_output: 32 kernel_size: 3 bias_term: false "
                  "weight_filler { type: 'gaussian' std: 0.2 } }") +
      InPlace("BatchNorm", "bn", "c1") +
      InPlace("Scale", "s", "c1", "param { lr_mult: 0 } param { lr_mult: 1 } scale_param { bias_term: true }") +
      InPlace("ReLU", "r", "c1") + Conv("c2", "c1", "num_output: 8 kernel_size: 1");
  const auto single = MakeNet<float>(text, TRAIN);
  const auto truth = MakeNet<double>(text, TRAIN);
  FillInputs(single.get());
  for (int i = 0; i < single->num_inputs(); ++i) Twins::Copy(*single->input_blobs()[i], truth->input_blobs()[i]);
  for (size_t i = 0; i < single->params().size(); ++i) Twins::Copy(*single->params()[i], truth->params()[i].get());
  const auto diffs = [](auto* net) {
    net->ClearParamDiffs();
    net->Forward();
    auto& top = *net->output_blobs()[0];
    for (int i = 0; i < top.count(); ++i) top.mutable_cpu_diff()[i] = (i % 5 - 2) * 0.25;
    net->Backward();
  };
  diffs(single.get());
  diffs(truth.get());
  const auto& scale = single->layer_by_name("s")->blobs();
  const auto& expected = truth->layer_by_name("s")->blobs();
  for (int c = 0; c < scale[0]->count(); ++c) EXPECT_EQ(scale[0]->cpu_diff()[c], 0);
  Twins::ExpectNear(scale[1]->cpu_diff(), expected[1]->cpu_diff(), expected[1]->count());
}

// ---- Weights that change after they were put in order

TEST(NetOnednnWeights, EveryWayToChangeThemIsSeen) {
  Twins twins(kNormed), other(kNormed);
  for (const auto& param : other.single->params()) param->scale_data(1.5f);
  twins.Forward();
  const auto check = [&](const char* way) {
    SCOPED_TRACE(way);
    twins.CopyToTruth();
    twins.Forward();
    twins.ExpectSameBlob("c2");
  };
  for (const auto& param : twins.single->params()) param->mutable_cpu_data()[0] += 0.5f;
  check("mutable_cpu_data");
  for (const auto& param : twins.single->params()) {
    caffe::caffe_set(param->count(), 0.01f, param->mutable_cpu_diff());
  }
  twins.single->Update();
  check("Update");
  caffe::NetParameter saved;
  other.single->ToProto(&saved);
  twins.single->CopyTrainedLayersFrom(saved);
  check("CopyTrainedLayersFrom");
  for (const auto& param : other.single->params()) param->scale_data(0.5f);
  twins.single->ShareTrainedLayersWith(other.single.get());
  check("ShareTrainedLayersWith");
  other.single->params()[0]->mutable_cpu_data()[3] = 2;
  check("the owner of shared weights");
  caffe::SyncedMemory& memory = *twins.single->params()[0]->data();
  auto* view = static_cast<float*>(memory.BeginView());
  view[1] = 3;
  check("a view");
  view[2] = -3;
  check("a view that was kept");
  view[0] = 1;
  memory.EndView();
  check("a view that ended");
}

TEST(NetOnednnThreads, NetsRunSideBySide) {
  Twins twins(kNormed);
  twins.truth->Forward();
  std::vector<std::thread> threads;
  std::vector<std::vector<float>> results(3);
  for (std::vector<float>& result : results) {
    threads.emplace_back([&result, &twins] {
      Net<float> net(NetText(kNormed));
      net.ShareTrainedLayersWith(twins.single.get());
      net.input_blobs()[0]->CopyFrom(*twins.single->input_blobs()[0]);
      for (int pass = 0; pass < 5; ++pass) net.Forward();
      const caffe::Blob<float>& output = *net.output_blobs()[0];
      result.assign(output.cpu_data(), output.cpu_data() + output.count());
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const std::vector<float>& result : results) {
    Twins::ExpectNear(result.data(), twins.truth->output_blobs()[0]->cpu_data(), static_cast<int>(result.size()));
  }
}

}  // namespace
}  // namespace rxnn::testing
