#include "caffe/layers/conv_layer.hpp"

#include "tests/support/gradient_checker.hpp"
#include "tests/support/naive_convolution.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ConvolutionLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ConvolutionLayerTest, BothTypes);

struct Case {
  std::string param;
  std::vector<int> bottom;
  NaiveGeometry geometry;
};

// Output sizes that straddle vector widths; every parameter of the geometry different along each axis at least once.
std::vector<Case> Cases() {
  return {
      {"num_output: 5 kernel_size: 3", {2, 3, 7, 9}, {{3, 3}, {1, 1}, {0, 0}, {1, 1}, 1}},
      {"num_output: 4 kernel_size: 1", {3, 6, 5, 4}, {{1, 1}, {1, 1}, {0, 0}, {1, 1}, 1}},
      {"num_output: 4 kernel_size: 1 stride: 2", {2, 6, 5, 4}, {{1, 1}, {2, 2}, {0, 0}, {1, 1}, 1}},
      {"num_output: 4 kernel_size: 1 pad: 1", {1, 2, 3, 4}, {{1, 1}, {1, 1}, {1, 1}, {1, 1}, 1}},
      {"num_output: 6 kernel_size: 3 pad: 2 stride: 2 group: 3", {2, 6, 8, 17}, {{3, 3}, {2, 2}, {2, 2}, {1, 1}, 3}},
      {"num_output: 12 kernel_size: 3 pad: 1 group: 12", {2, 12, 6, 33}, {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 12}},
      {"num_output: 18 kernel_size: 3 group: 9 stride: 2", {1, 9, 7, 7}, {{3, 3}, {2, 2}, {0, 0}, {1, 1}, 9}},
      {"num_output: 2 kernel_h: 2 kernel_w: 5 stride_h: 3 stride_w: 2 pad_h: 1 pad_w: 4",
       {2, 3, 8, 6},
       {{2, 5}, {3, 2}, {1, 4}, {1, 1}, 1}},
      {"num_output: 3 kernel_size: 3 dilation: 2 dilation: 3 pad: 2 pad: 1",
       {1, 2, 9, 10},
       {{3, 3}, {1, 1}, {2, 1}, {2, 3}, 1}},
      {"num_output: 2 kernel_size: 2 kernel_size: 3 stride: 1 stride: 2 pad: 0 pad: 3",
       {2, 2, 4, 6},
       {{2, 3}, {1, 2}, {0, 3}, {1, 1}, 1}},
      {"num_output: 3 kernel_size: 3 stride: 2 pad: 1", {2, 2, 9}, {{3}, {2}, {1}, {1}, 1}},
      {"num_output: 2 kernel_size: 2 kernel_size: 3 kernel_size: 1 stride: 1 stride: 2 stride: 2 pad: 1 pad: 0 pad: 2",
       {2, 2, 3, 5, 4},
       {{2, 3, 1}, {1, 2, 2}, {1, 0, 2}, {1, 1, 1}, 1}},
      {"num_output: 4", {3, 5}, {{}, {}, {}, {}, 1}},
      {"num_output: 2 kernel_size: 7 pad: 3", {1, 1, 2, 2}, {{7, 7}, {1, 1}, {3, 3}, {1, 1}, 1}},
  };
}

std::string LayerText(const std::string& param, const std::string& type = "Convolution") {
  return "type: '" + type + "' convolution_param { " + param + " }";
}

TYPED_TEST(ConvolutionLayerTest, EqualsTheSumsOfTheDefinition) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.param);
    LayerHarness<TypeParam> run(LayerText(c.param), {RandomBlob<TypeParam>(c.bottom)});
    run.RandomizeWeights(0);
    run.RandomizeWeights(1);
    run.Forward();
    std::vector<int> shape;
    const std::vector<double> expected =
        NaiveConvolution(run.in(), run.weights(0), &run.weights(1), c.geometry, &shape);
    EXPECT_EQ(run.out().shape(), shape);
    ExpectAllNear(Data(run.out()), expected, SumTolerance<TypeParam>(run.weights(0).count(1), run.weights(0).count(1)));
  }
}

TEST(ConvolutionLayerGradient, EqualsFiniteDifferences) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.param);
    LayerHarness<double> run(LayerText(c.param), {RandomBlob<double>(c.bottom)});
    run.RandomizeWeights(0);
    CheckGradient(&run);
  }
}

TYPED_TEST(ConvolutionLayerTest, SeveralBottomsPassThroughTheSameWeights) {
  const std::string text = LayerText("num_output: 3 kernel_size: 2 bias_term: false");
  const auto first = RandomBlob<TypeParam>({2, 2, 4, 3}, -1, 1, 3),
             second = RandomBlob<TypeParam>({2, 2, 4, 3}, -1, 1, 4);
  LayerHarness<TypeParam> both(text, {first, second}, 2), alone(text, {second});
  EXPECT_EQ(both.layer->blobs().size(), 1u);
  both.RandomizeWeights();
  alone.RandomizeWeights();
  both.Forward();
  alone.Forward();
  ExpectAllNear(Data(both.out(1)), Data(alone.out()), 0);
}

TYPED_TEST(ConvolutionLayerTest, FollowsANewBottomShape) {
  LayerHarness<TypeParam> run(LayerText("num_output: 2 kernel_size: 3 pad: 1"), {RandomBlob<TypeParam>({1, 2, 4, 4})});
  run.RandomizeWeights();
  run.Forward();
  run.in().CopyFrom(*RandomBlob<TypeParam>({3, 2, 6, 5}), false, true);
  run.Forward();
  std::vector<int> shape;
  const auto expected =
      NaiveConvolution(run.in(), run.weights(0), &run.weights(1), {{3, 3}, {1, 1}, {1, 1}, {1, 1}, 1}, &shape);
  EXPECT_EQ(run.out().shape(), (std::vector<int>{3, 2, 6, 5}));
  ExpectAllNear(Data(run.out()), expected, SumTolerance<TypeParam>(18, 18));
}

TEST(ConvolutionLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param, const std::vector<int>& shape = {1, 4, 5, 5}) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>(shape)}); };
  };
  ExpectError(make("kernel_size: 3"), "num_output");
  ExpectError(make("num_output: 2"), "needs kernel_size");
  ExpectError(make("num_output: 2 kernel_size: 0"), "kernel_size must be at least 1");
  ExpectError(make("num_output: 2 kernel_size: 3 stride: 0"), "stride must be at least 1");
  ExpectError(make("num_output: 2 kernel_size: 3 dilation: 0"), "dilation must be at least 1");
  ExpectError(make("num_output: 2 kernel_size: 3 pad: 2147483647"), "outputs (pad 2147483647) is too large");
  ExpectError(make("num_output: 2 kernel_size: 65536"), "kernels of more than 2147483647 values are too large");
  ExpectError(make("num_output: 1073741824 kernel_size: 1"), "weights of more than 2147483647 values are too large");
  ExpectError(make("num_output: 2 kernel_size: 40000", {1, 1, 5, 5}), "weights of more than 2147483647 values");
  ExpectError(make("num_output: 1 kernel_size: 3000 pad: 3000", {1, 1, 5, 5}), "columns of im2col of more than");
  ExpectError(make("num_output: 2 kernel_size: 3 dilation: 2147483647"), "does not fit");
  ExpectError(make("num_output: 2 kernel_size: 3 kernel_size: 3 kernel_size: 3"), "kernel_size is given 3 times");
  ExpectError(make("num_output: 2 kernel_size: 3 kernel_h: 3"), "kernel_size is given twice");
  ExpectError(make("num_output: 2 kernel_h: 3 kernel_w: 3", {1, 4, 5}), "two spatial axes");
  ExpectError(make("num_output: 2 kernel_size: 6"), "kernel of 6");
  ExpectError(make("num_output: 2 kernel_size: 3 dilation: 3 pad: 0"), "does not fit");
  ExpectError(make("num_output: 2 kernel_size: 3 group: 3"), "4 input channels cannot be divided into 3 groups");
  ExpectError(make("num_output: 3 kernel_size: 3 group: 2"), "num_output 3 cannot be divided");
  ExpectError(make("num_output: 3 kernel_size: 3 axis: 4"), "4");
  ExpectError(
      [] {
        LayerHarness<float> run(LayerText("num_output: 2 kernel_size: 3"), {MakeBlob<float>({1, 4, 5, 5})});
        run.in().Reshape({1, 3, 5, 5});
        run.Forward();
      },
      "the weights are for 4 channels");
  ExpectError(
      [] {
        LayerHarness<float>(LayerText("num_output: 2 kernel_size: 3") +
                                "blobs { shape { dim: 1 } data: 0 } blobs { shape { dim: 2 } data: 0 data: 0 }",
                            {MakeBlob<float>({1, 4, 5, 5})});
      },
      "weights of shape 1 (1), expected 2x4x3x3");
}

}  // namespace
}  // namespace rxnn::testing
