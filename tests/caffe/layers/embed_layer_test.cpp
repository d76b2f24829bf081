#include "caffe/layers/embed_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class EmbedLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(EmbedLayerTest, BothTypes);

std::string LayerText(const std::string& param) {
  return "type: 'Embed' embed_param { input_dim: 5 num_output: 3 weight_filler { type: 'uniform' min: -1 } " + param +
         " }";
}

TYPED_TEST(EmbedLayerTest, TakesTheRowOfTheIndex) {
  LayerHarness<TypeParam> run(LayerText("bias_term: false"), {MakeBlob<TypeParam>({2, 2}, {4, 0, 2, 4})});
  EXPECT_EQ(run.layer->blobs().size(), 1u);
  ASSERT_EQ(run.weights().shape(), (std::vector<int>{5, 3}));
  run.Forward();
  ASSERT_EQ(run.out().shape(), (std::vector<int>{2, 2, 3}));
  const std::vector<double> w = Data(run.weights()), y = Data(run.out());
  const std::vector<int> rows = {4, 0, 2, 4};
  for (int n = 0; n < 4; ++n) {
    for (int k = 0; k < 3; ++k) {
      EXPECT_EQ(y[n * 3 + k], w[rows[n] * 3 + k]);
    }
  }
}

// One-hot vectors through InnerProduct with the same (transposed) weights.
TYPED_TEST(EmbedLayerTest, EqualsInnerProductOfOneHotVectors) {
  LayerHarness<TypeParam> run(LayerText("bias_filler { type: 'uniform' }"), {MakeBlob<TypeParam>({3}, {1, 3, 3})});
  LayerHarness<TypeParam> product("type: 'InnerProduct' inner_product_param { num_output: 3 transpose: true }",
                                  {MakeBlob<TypeParam>({3, 5}, {0, 1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0})});
  for (int i = 0; i < 2; ++i) {
    product.weights(i).CopyFrom(run.weights(i));
  }
  run.Forward();
  product.Forward();
  ExpectAllNear(Data(run.out()), Data(product.out()), 0);
}

TEST(EmbedLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"", "bias_term: false"}) {
    LayerHarness<double> run(LayerText(param), {MakeBlob<double>({4}, {4, 2, 2, 3})});
    GradientChecker<double>(&run).CheckParameters();
  }
}

TEST(EmbedLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(LayerText(""), {MakeBlob<float>({1})});
  for (const float wrong : {-1.0f, 5.0f, 1.5f, std::nanf("")}) {
    run.in().mutable_cpu_data()[0] = wrong;
    ExpectError([&] { run.Forward(); }, "no whole number in [0, 5)");
  }
  run.in().mutable_cpu_data()[0] = 4;
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient by its index");
  EXPECT_FALSE(run.layer->AllowForceBackward(0));
  const auto make = [](const std::string& param) {
    return [=] { LayerHarness<float>("type: 'Embed' embed_param { " + param + " }", {MakeBlob<float>({1})}); };
  };
  ExpectError(make("input_dim: 2"), "num_output");
  ExpectError(make("num_output: 2"), "input_dim");
}

}  // namespace
}  // namespace rxnn::testing
