#include "caffe/layers/bias_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class BiasLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(BiasLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Bias' bias_param { " + param + " }"; }

TYPED_TEST(BiasLayerTest, AddsToEveryChannel) {
  LayerHarness<TypeParam> run(LayerText(""), {MakeBlob<TypeParam>({2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8})});
  run.weights().CopyFrom(*MakeBlob<TypeParam>({2}, {10, 100}));
  run.Forward();
  ExpectAllNear(Data(run.out()), {11, 12, 103, 104, 15, 16, 107, 108}, 0);
}

TYPED_TEST(BiasLayerTest, TakesTheBiasFromASecondBottom) {
  LayerHarness<TypeParam> run(LayerText("axis: 0"),
                              {MakeBlob<TypeParam>({2, 2}, {1, 2, 3, 4}), MakeBlob<TypeParam>({2}, {10, 100})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {11, 12, 103, 104}, 0);
}

TYPED_TEST(BiasLayerTest, RunsInPlace) {
  ExpectSameInPlace(LayerText("filler { value: 3 }"), *RandomBlob<TypeParam>({3, 4, 5}));
}

TEST(BiasLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"", "axis: 0 num_axes: 2", "num_axes: 0", "axis: 1 num_axes: -1"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {RandomBlob<double>({2, 3, 4})});
    CheckGradient(&run);
  }
  LayerHarness<double> two(LayerText("axis: 1"), {RandomBlob<double>({2, 3, 4}), RandomBlob<double>({3, 4})});
  CheckGradient(&two);
  CheckGradient(&two, {1});
}

TEST(BiasLayerErrors, NameTheShapes) {
  ExpectError(
      [] {
        LayerHarness<float>(LayerText(""), {MakeBlob<float>({2, 3}), MakeBlob<float>({2})});
      },
      "does not match");
  ExpectError(
      [] {
        LayerHarness<float>(LayerText("") + "blobs { shape { dim: 1 } data: 1 }", {MakeBlob<float>({2, 3})});
      },
      "expected one of 3 (3)");
}

}  // namespace
}  // namespace rxnn::testing
