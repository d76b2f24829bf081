#include "caffe/layers/threshold_layer.hpp"

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ThresholdLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ThresholdLayerTest, BothTypes);

TYPED_TEST(ThresholdLayerTest, IsOneAbove) {
  LayerHarness<TypeParam> run("type: 'Threshold' threshold_param { threshold: 0.5 }",
                              {MakeBlob<TypeParam>({4}, {0, 0.5, 0.6, -3})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {0, 0, 1, 0}, 0);
}

TEST(ThresholdLayerErrors, NoGradient) {
  LayerHarness<float> run("type: 'Threshold'", {MakeBlob<float>({2})});
  ExpectError([&] { run.Backward(); }, "no gradient");
}

}  // namespace
}  // namespace rxnn::testing
