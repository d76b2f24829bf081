#include "caffe/layers/inner_product_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class InnerProductLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(InnerProductLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'InnerProduct' inner_product_param { " + param + " }"; }

TYPED_TEST(InnerProductLayerTest, EqualsTheSumsOfTheDefinition) {
  for (const bool transpose : {false, true}) {
    LayerHarness<TypeParam> run(LayerText(std::string("num_output: 17 transpose: ") + (transpose ? "true" : "false")),
                                {RandomBlob<TypeParam>({5, 3, 2, 7})});
    run.RandomizeWeights(0);
    run.RandomizeWeights(1);
    run.Forward();
    ASSERT_EQ(run.out().shape(), (std::vector<int>{5, 17}));
    ASSERT_EQ(run.weights().shape(), transpose ? (std::vector<int>{42, 17}) : (std::vector<int>{17, 42}));
    for (int m = 0; m < 5; ++m) {
      for (int n = 0; n < 17; ++n) {
        double sum = run.weights(1).cpu_data()[n];
        for (int k = 0; k < 42; ++k) {
          sum += static_cast<double>(run.in().cpu_data()[m * 42 + k]) *
                 run.weights().cpu_data()[transpose ? k * 17 + n : n * 42 + k];
        }
        ASSERT_NEAR(run.out().cpu_data()[m * 17 + n], sum, SumTolerance<TypeParam>(43, 43));
      }
    }
  }
}

TYPED_TEST(InnerProductLayerTest, KeepsTheAxesBeforeItsOwn) {
  LayerHarness<TypeParam> run(LayerText("num_output: 4 axis: -1 bias_term: false"), {RandomBlob<TypeParam>({2, 3, 5})});
  EXPECT_EQ(run.out().shape(), (std::vector<int>{2, 3, 4}));
  EXPECT_EQ(run.layer->blobs().size(), 1u);
  EXPECT_EQ(run.weights().shape(), (std::vector<int>{4, 5}));
}

TEST(InnerProductLayerGradient, EqualsFiniteDifferences) {
  for (const char* param :
       {"num_output: 5", "num_output: 5 transpose: true", "num_output: 3 axis: 2 bias_term: false"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {RandomBlob<double>({3, 2, 4})});
    run.RandomizeWeights();
    CheckGradient(&run);
  }
}

TEST(InnerProductLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& text) {
    return [=] { LayerHarness<float>(text, {MakeBlob<float>({2, 6})}); };
  };
  ExpectError(make(LayerText("")), "num_output");
  ExpectError(make(LayerText("num_output: 2 axis: 5")), "5");
  ExpectError(make(LayerText("num_output: 1") + "blobs { shape { dim: 1 dim: 2 } data: 1 data: 2 } " +
                   "blobs { shape { dim: 1 } data: 0 }"),
              "expected 1x6");
  ExpectError(
      [] {
        LayerHarness<float> run(LayerText("num_output: 2"), {MakeBlob<float>({2, 6})});
        run.in().Reshape({2, 7});
        run.Forward();
      },
      "has 7 inputs, the weights are for 6");
}

}  // namespace
}  // namespace rxnn::testing
