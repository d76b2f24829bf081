// What the tests of recurrent layers share: small matrix algebra in double precision, and what holds for all of them.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "caffe/layers/recurrent_layer.hpp"
#include "caffe/net.hpp"
#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {

// Row `index` of a blob whose first `axes` axes are taken as one.
template <typename Dtype>
std::vector<double> Row(const caffe::Blob<Dtype>& blob, int index, int axes) {
  const int size = blob.count(axes);
  return std::vector<double>(blob.cpu_data() + index * size, blob.cpu_data() + (index + 1) * size);
}

// weights * x.
template <typename Dtype>
std::vector<double> Product(const caffe::Blob<Dtype>& weights, const std::vector<double>& x) {
  std::vector<double> y(weights.shape(0), 0);
  for (size_t row = 0; row < y.size(); ++row) {
    for (size_t k = 0; k < x.size(); ++k) {
      y[row] += weights.cpu_data()[row * x.size() + k] * x[k];
    }
  }
  return y;
}

inline void Add(const std::vector<double>& x, std::vector<double>* sum) {
  ASSERT_EQ(x.size(), sum->size());
  for (size_t i = 0; i < x.size(); ++i) {
    (*sum)[i] += x[i];
  }
}

// Batches of one step, whose cont says that the sequence goes on, give what one batch of all steps gives; a cont of 0
// gives the same for the first step alone.
template <typename Dtype>
void ExpectStepByStepIsTheSame(const std::string& text) {
  caffe::Caffe::set_random_seed(1701);  // fillers draw the parameters
  const int steps = 3, streams = 2, inputs = 4;
  const auto x = RandomBlob<Dtype>({steps, streams, inputs});
  LayerHarness<Dtype> whole(text, {x, MakeBlob<Dtype>({steps, streams}, {0, 0, 1, 1, 1, 1})});
  whole.Forward();
  for (const bool goes_on : {true, false}) {
    LayerHarness<Dtype> single(text, {MakeBlob<Dtype>({1, streams, inputs}), MakeBlob<Dtype>({1, streams})});
    for (size_t i = 0; i < whole.layer->blobs().size(); ++i) single.weights(i).CopyFrom(whole.weights(i));
    double most = 0;  // that an output behind a cont of 0 differs by
    for (int t = 0; t < steps; ++t) {
      caffe::caffe_copy(streams * inputs, x->cpu_data() + t * streams * inputs, single.in(0).mutable_cpu_data());
      caffe::caffe_set(streams, Dtype(t > 0 && goes_on), single.in(1).mutable_cpu_data());
      single.Forward();
      for (int i = 0; i < single.out().count(); ++i) {
        const double all = whole.out().cpu_data()[t * single.out().count() + i], one = single.out().cpu_data()[i];
        if (t == 0 || goes_on) {
          EXPECT_NEAR(one, all, tolerance::kFewRoundings<Dtype>);
        } else {
          most = std::max(most, std::abs(one - all));
        }
      }
    }
    EXPECT_TRUE(goes_on || most > 1e-2);
  }
}

template <typename Dtype>
void ExpectForgetsWhenReset(const std::string& text) {
  caffe::Caffe::set_random_seed(1701);
  LayerHarness<Dtype> run(text, {RandomBlob<Dtype>({2, 2, 4}), MakeBlob<Dtype>({2, 2}, {1, 1, 1, 1})});
  run.Forward();
  const std::vector<double> first = Data(run.out());
  run.Forward();
  EXPECT_NE(Data(run.out()), first);
  dynamic_cast<caffe::RecurrentLayer<Dtype>&>(*run.layer).Reset();
  run.Forward();
  ExpectAllNear(Data(run.out()), first, 0);
}

// A layer made from its own message computes the same.
inline void ExpectParametersComeFromTheModel(const std::string& text) {
  const std::vector<BlobPtr<double>> bottoms = {RandomBlob<double>({2, 2, 4}), MakeBlob<double>({2, 2})};
  LayerHarness<double> first(text, bottoms);
  caffe::LayerParameter param;
  first.layer->ToProto(&param);
  LayerHarness<double> second(param.DebugString(), bottoms);
  first.Forward();
  second.Forward();
  ExpectAllNear(Data(second.out()), Data(first.out()), 0);
  param.mutable_blobs()->RemoveLast();
  ExpectError([&] { LayerHarness<double>(param.DebugString(), bottoms); }, "parameter blobs, expected");
}

// The solver's way to test: the other net's memory is used, and its later changes are seen, at every step.
inline void ExpectParametersAreSharedWithATestNet(const std::string& text) {
  caffe::NetParameter param;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "layer { name: 'in' type: 'Input' top: 'x' top: 'cont' input_param { shape { dim: 3 dim: 2 dim: 4 } "
      "shape { dim: 3 dim: 2 } } } layer { name: 'recurrent' bottom: 'x' bottom: 'cont' top: 'y' " +
          text + " }",
      &param));
  param.mutable_state()->set_phase(caffe::TRAIN);
  caffe::Net<double> train(param);
  param.mutable_state()->set_phase(caffe::TEST);
  caffe::Net<double> test(param);
  test.ShareTrainedLayersWith(&train);
  for (caffe::Net<double>* net : {&train, &test}) {
    net->input_blobs()[0]->CopyFrom(*RandomBlob<double>({3, 2, 4}));
    net->input_blobs()[1]->CopyFrom(*MakeBlob<double>({3, 2}, {0, 0, 1, 1, 1, 1}));
  }
  for (int round = 0; round < 2; ++round) {
    const std::vector<double> expected = Data(*train.Forward()[0]);
    ExpectAllNear(Data(*test.Forward()[0]), expected, 0);
    for (auto& blob : train.params()) caffe::caffe_scal(blob->count(), 0.5, blob->mutable_cpu_data());
  }
}

inline void ExpectRecurrentErrors(const std::string& type) {
  const auto make = [=](const std::vector<int>& x, const std::vector<int>& cont, const std::string& param) {
    return [=] {
      LayerHarness<float>("type: '" + type + "' recurrent_param { " + param + " }",
                          {MakeBlob<float>(x), MakeBlob<float>(cont)});
    };
  };
  ExpectError(make({2, 3, 4}, {2, 3}, ""), "num_output");
  ExpectError(make({2, 3, 4}, {2, 3}, "num_output: 4294967295"), "num_output is 4294967295");
  ExpectError(make({2}, {2, 3}, "num_output: 2"), "two axes at least");
  ExpectError(make({2, 3, 4}, {2, 2}, "num_output: 2"), "2x3");
  ExpectError(make({2, 3, 4}, {2, 3}, "num_output: 2 expose_hidden: true"), "bottom blobs");
  LayerHarness<float> run("type: '" + type + "' recurrent_param { num_output: 2 }",
                          {MakeBlob<float>({2, 3, 4}), MakeBlob<float>({2, 3})});
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient by its continuation indicators");
  EXPECT_FALSE(run.layer->AllowForceBackward(1));
  run.in(0).Reshape({3, 3, 4});
  run.in(1).Reshape({3, 3});
  ExpectError([&] { run.Forward(); }, "set up for 2 steps");
  // The number of streams may change.
  run.in(0).Reshape({2, 5, 4});
  run.in(1).Reshape({2, 5});
  run.Forward();
  EXPECT_EQ(run.out().shape(), (std::vector<int>{2, 5, 2}));
}

}  // namespace rxnn::testing
