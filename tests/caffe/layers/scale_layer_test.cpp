#include "caffe/layers/scale_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ScaleLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ScaleLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Scale' scale_param { " + param + " }"; }

TYPED_TEST(ScaleLayerTest, ScalesEveryChannel) {
  LayerHarness<TypeParam> run(LayerText("bias_term: true"), {MakeBlob<TypeParam>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})});
  EXPECT_EQ(run.weights(0).shape(), std::vector<int>{2});
  ExpectAllNear(Data(run.weights(0)), {1, 1}, 0);
  ExpectAllNear(Data(run.weights(1)), {0, 0}, 0);
  run.weights(0).CopyFrom(*MakeBlob<TypeParam>({2}, {10, 100}));
  run.weights(1).CopyFrom(*MakeBlob<TypeParam>({2}, {1, 2}));
  run.Forward();
  ExpectAllNear(Data(run.out()), {11, 21, 302, 402, 51, 61, 702, 802}, 0);
}

TYPED_TEST(ScaleLayerTest, ParameterCoversTheAxesAskedFor) {
  const auto shape = [](const std::string& param) {
    return LayerHarness<TypeParam>(LayerText(param), {MakeBlob<TypeParam>({2, 3, 4, 5})}).weights().shape();
  };
  EXPECT_EQ(shape("axis: 0 num_axes: 2"), (std::vector<int>{2, 3}));
  EXPECT_EQ(shape("axis: 1 num_axes: -1"), (std::vector<int>{3, 4, 5}));
  EXPECT_EQ(shape("axis: -1"), (std::vector<int>{5}));
  EXPECT_EQ(shape("num_axes: 0"), std::vector<int>());
}

TYPED_TEST(ScaleLayerTest, TakesTheScaleFromASecondBottom) {
  LayerHarness<TypeParam> run(LayerText("axis: 0"),
                              {MakeBlob<TypeParam>({2, 3}, {1, 2, 3, 4, 5, 6}), MakeBlob<TypeParam>({2}, {10, 100})});
  EXPECT_TRUE(run.layer->blobs().empty());
  run.Forward();
  ExpectAllNear(Data(run.out()), {10, 20, 30, 400, 500, 600}, 0);
}

TYPED_TEST(ScaleLayerTest, RunsInPlace) {
  ExpectSameInPlace(LayerText("bias_term: true filler { value: 2 } bias_filler { value: 3 }"),
                    *RandomBlob<TypeParam>({3, 4, 5}));
}

TEST(ScaleLayerGradient, EqualsFiniteDifferences) {
  for (const char* param :
       {"", "bias_term: true", "axis: 0 num_axes: 2 bias_term: true", "num_axes: 0 bias_term: true"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {RandomBlob<double>({2, 3, 4})});
    run.RandomizeWeights();
    CheckGradient(&run);
  }
  for (const std::vector<int>& shape : std::vector<std::vector<int>>{{2}, {2, 3}, {2, 3, 4}, {}}) {
    LayerHarness<double> run(LayerText("axis: 0 bias_term: true"),
                             {RandomBlob<double>({2, 3, 4}), RandomBlob<double>(shape, -1, 1, 8)});
    CheckGradient(&run);
    CheckGradient(&run, {1});
  }
}

TEST(ScaleLayerErrors, NameTheShapes) {
  ExpectError(
      [] {
        LayerHarness<float>(LayerText(""), {MakeBlob<float>({2, 3}), MakeBlob<float>({2})});
      },
      "a blob of shape 2 (2) does not match bottom of shape 2 3 (6) from axis 1 on");
  ExpectError([] { LayerHarness<float>(LayerText("num_axes: 3"), {MakeBlob<float>({2, 3})}); }, "too few");
  ExpectError(
      [] {
        LayerHarness<float>(LayerText("") + "blobs { shape { dim: 1 } data: 1 }", {MakeBlob<float>({2, 3})});
      },
      "parameter of shape 1 (1), expected 3 (3)");
}

}  // namespace
}  // namespace rxnn::testing
