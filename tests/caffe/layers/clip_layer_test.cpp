#include "caffe/layers/clip_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ClipLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ClipLayerTest, BothTypes);

TYPED_TEST(ClipLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>(
      "type: 'Clip' clip_param { min: -0.52 max: 1.52 }", *DistinctBlob<TypeParam>({2, 3, 5, 7}, 0.05),
      [](double x) { return std::min(std::max(x, -static_cast<double>(0.52f)), static_cast<double>(1.52f)); });
}

TYPED_TEST(ClipLayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'Clip' clip_param { min: 0 max: 6 }", *DistinctBlob<TypeParam>({2, 3, 37}));
}

TYPED_TEST(ClipLayerTest, PassesTheGradientAtTheLimits) {
  LayerHarness<TypeParam> run("type: 'Clip' clip_param { min: 0 max: 6 }",
                              {MakeBlob<TypeParam>({5}, {-1, 0, 3, 6, 7})});
  run.Forward();
  caffe::caffe_set(5, TypeParam(2), run.out().mutable_cpu_diff());
  run.Backward();
  ExpectAllNear(Diff(run.in()), {0, 2, 2, 2, 0}, 0);
}

TEST(ClipLayerErrors, NameTheLimits) {
  ExpectError([] { LayerHarness<float>("type: 'Clip' clip_param { min: 1 max: 0 }", {MakeBlob<float>({2})}); },
              "min 1 is above max 0");
  ExpectError([] { LayerHarness<float>("type: 'Clip'", {MakeBlob<float>({2})}); }, "needs min and max");
}

}  // namespace
}  // namespace rxnn::testing
