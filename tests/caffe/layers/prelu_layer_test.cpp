#include "caffe/layers/prelu_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class PReLULayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(PReLULayerTest, BothTypes);

std::string LayerText(const std::string& param = "") { return "type: 'PReLU' prelu_param { " + param + " }"; }

TYPED_TEST(PReLULayerTest, HasASlopeForEveryChannel) {
  LayerHarness<TypeParam> run(LayerText(), {MakeBlob<TypeParam>({2, 2, 2}, {-1, 2, -3, 4, 5, -6, 7, -8})});
  EXPECT_EQ(run.weights().shape(), std::vector<int>{2});
  run.Forward();
  ExpectAllNear(Data(run.out()), {-0.25, 2, -0.75, 4, 5, -1.5, 7, -2}, 0);
  run.weights().CopyFrom(*MakeBlob<TypeParam>({2}, {2, -1}));
  run.Forward();
  ExpectAllNear(Data(run.out()), {-2, 2, 3, 4, 5, -12, 7, 8}, 0);
}

TYPED_TEST(PReLULayerTest, SharesOneSlope) {
  LayerHarness<TypeParam> run(LayerText("channel_shared: true filler { value: 0.5 }"),
                              {MakeBlob<TypeParam>({1, 2, 2}, {-1, 2, -3, 4})});
  EXPECT_EQ(run.weights().num_axes(), 0);
  run.Forward();
  ExpectAllNear(Data(run.out()), {-0.5, 2, -1.5, 4}, 0);
}

// With slope 0 it is ReLU, also backward.
TYPED_TEST(PReLULayerTest, EqualsReLU) {
  const auto x = RandomBlob<TypeParam>({2, 3, 4, 5});
  LayerHarness<TypeParam> prelu(LayerText("filler { value: 0 }"), {x}), relu("type: 'ReLU'", {x});
  std::vector<std::vector<double>> gradients;
  for (LayerHarness<TypeParam>* run : {&prelu, &relu}) {
    run->Forward();
    caffe::caffe_copy(x->count(), x->cpu_data(), run->out().mutable_cpu_diff());
    run->Backward();
    gradients.push_back(Diff(run->in()));
  }
  ExpectAllNear(Data(prelu.out()), Data(relu.out()), 0);
  ExpectAllNear(gradients[0], gradients[1], 0);
}

TYPED_TEST(PReLULayerTest, RunsInPlace) {
  ExpectSameInPlace(LayerText(), *RandomBlob<TypeParam>({3, 4, 5}));
  // The slopes' gradient needs x, which is gone from the blob.
  LayerHarness<TypeParam> run(LayerText(), {MakeBlob<TypeParam>({1, 1, 2}, {-3, 5})});
  run.top = run.bottom;
  run.layer->Reshape(run.bottom, run.top);
  run.Forward();
  run.in().mutable_cpu_diff()[0] = run.in().mutable_cpu_diff()[1] = 2;
  run.Backward();
  EXPECT_EQ(run.weights().cpu_diff()[0], -6);
}

TEST(PReLULayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"", "channel_shared: true", "filler { type: 'gaussian' }"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {DistinctBlob<double>({2, 3, 4})});
    CheckGradient(&run);
  }
  LayerHarness<double> no_positions(LayerText(), {DistinctBlob<double>({4, 3})});
  CheckGradient(&no_positions);
}

TEST(PReLULayerErrors, NameWhatIsWrong) {
  ExpectError([] { LayerHarness<float>(LayerText(), {MakeBlob<float>({3})}); }, "two axes at least");
  LayerHarness<float> run(LayerText(), {MakeBlob<float>({1, 3})});
  run.in().Reshape({1, 4});
  ExpectError([&] { run.Forward(); }, "for 3 slopes");
  ExpectError(
      [] {
        LayerHarness<float>(LayerText() + "blobs { shape { dim: 2 } data: 0 data: 0 }", {MakeBlob<float>({1, 3})});
      },
      "expected one of 3 slopes");
}

}  // namespace
}  // namespace rxnn::testing
