#include "caffe/layers/deconv_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class DeconvolutionLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(DeconvolutionLayerTest, BothTypes);

struct Case {
  std::string param;  // both layers, without num_output
  std::vector<int> bottom, top;
};

std::vector<Case> Cases() {
  return {
      {"kernel_size: 3 stride: 2", {2, 4, 3, 5}, {2, 6, 7, 11}},
      {"kernel_size: 4 stride: 2 pad: 1 group: 2", {2, 4, 3, 5}, {2, 6, 6, 10}},
      {"kernel_size: 3 dilation: 2 pad: 1", {1, 4, 3, 2}, {1, 6, 5, 4}},
      {"kernel_size: 1", {2, 4, 3, 5}, {2, 6, 3, 5}},
      {"kernel_size: 2 stride: 2", {2, 4, 5}, {2, 6, 10}},
  };
}

// Deconvolution D is the transpose of convolution C with the same weights: <D x, z> = <x, C z> for all x and z.
TYPED_TEST(DeconvolutionLayerTest, IsTheTransposeOfConvolution) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.param);
    const std::string param = " bias_term: false " + c.param + " }";
    LayerHarness<TypeParam> deconvolution("type: 'Deconvolution' convolution_param { num_output: 6" + param,
                                          {RandomBlob<TypeParam>(c.bottom)});
    LayerHarness<TypeParam> convolution("type: 'Convolution' convolution_param { num_output: 4" + param,
                                        {RandomBlob<TypeParam>(c.top, -1, 1, 9)});
    deconvolution.RandomizeWeights();
    convolution.weights().CopyFrom(deconvolution.weights());
    deconvolution.Forward();
    convolution.Forward();
    ASSERT_EQ(deconvolution.out().shape(), c.top);
    ASSERT_EQ(convolution.out().shape(), c.bottom);
    double left = 0, right = 0;
    for (int i = 0; i < deconvolution.out().count(); ++i) {
      left += static_cast<double>(deconvolution.out().cpu_data()[i]) * convolution.in().cpu_data()[i];
    }
    for (int i = 0; i < convolution.out().count(); ++i) {
      right += static_cast<double>(convolution.out().cpu_data()[i]) * deconvolution.in().cpu_data()[i];
    }
    EXPECT_NEAR(left, right, SumTolerance<TypeParam>(64, deconvolution.out().count()));
  }
}

TYPED_TEST(DeconvolutionLayerTest, AddsTheBias) {
  LayerHarness<TypeParam> run("type: 'Deconvolution' convolution_param { num_output: 2 kernel_size: 2 stride: 2 }",
                              {MakeBlob<TypeParam>({1, 1, 1, 2}, {1, 10})});
  run.weights().CopyFrom(*MakeBlob<TypeParam>({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8}));
  run.weights(1).CopyFrom(*MakeBlob<TypeParam>({2}, {0, 100}));
  run.Forward();
  ExpectAllNear(Data(run.out()), {1, 2, 10, 20, 3, 4, 30, 40, 105, 106, 150, 160, 107, 108, 170, 180}, 0);
}

TEST(DeconvolutionLayerGradient, EqualsFiniteDifferences) {
  for (const Case& c : Cases()) {
    SCOPED_TRACE(c.param);
    LayerHarness<double> run("type: 'Deconvolution' convolution_param { num_output: 6 " + c.param + " }",
                             {RandomBlob<double>(c.bottom)});
    run.RandomizeWeights();
    CheckGradient(&run);
  }
}

TEST(DeconvolutionLayerErrors, NameWhatIsWrong) {
  ExpectError(
      [] {
        LayerHarness<float>("type: 'Deconvolution' convolution_param { num_output: 2 kernel_size: 2 pad: 2 }",
                            {MakeBlob<float>({1, 1, 2, 2})});
      },
      "does not fit");
  ExpectError(
      [] {
        LayerHarness<float>(
            "type: 'Deconvolution' convolution_param { num_output: 2 kernel_size: 2 stride: 2147483647 }",
            {MakeBlob<float>({1, 1, 3, 3})});
      },
      "an axis of 4294967296 outputs");
}

}  // namespace
}  // namespace rxnn::testing
