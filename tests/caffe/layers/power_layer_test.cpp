#include "caffe/layers/power_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class PowerLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(PowerLayerTest, BothTypes);

TYPED_TEST(PowerLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'Power'", *DistinctBlob<TypeParam>({2, 3, 5, 7}, 0.05),
                               [](double x) { return x; });
  ExpectElementwise<TypeParam>("type: 'Power' power_param { power: 0.5 scale: 2 shift: 3 }",
                               *RandomBlob<TypeParam>({2, 3, 5, 7}, -1, 1),
                               [](double x) { return std::sqrt(3 + 2 * x); });
  ExpectElementwise<TypeParam>("type: 'Power' power_param { power: -2 shift: 3 }",
                               *RandomBlob<TypeParam>({2, 3, 5, 7}, -1, 1),
                               [](double x) { return 1 / ((3 + x) * (3 + x)); });
  ExpectElementwise<TypeParam>("type: 'Power' power_param { power: 0 scale: 2 }",
                               *RandomBlob<TypeParam>({2, 3, 5, 7}, 0.5, 1), [](double x) { return 1.0 + 0 * x; });
  ExpectElementwise<TypeParam>("type: 'Power' power_param { power: 3 scale: -1 }",
                               *RandomBlob<TypeParam>({2, 3, 5, 7}, -1, 1), [](double x) { return -x * x * x; });
}

// x^0 and (0 x)^2 do not change, not even where their formula for the slope divides by 0.
TYPED_TEST(PowerLayerTest, ConstantsHaveNoGradient) {
  for (const char* param : {"power: 0", "power: -1 scale: 0"}) {
    LayerHarness<TypeParam> run(std::string("type: 'Power' power_param { ") + param + " }",
                                {MakeBlob<TypeParam>({2}, {0, 1})});
    run.Forward();
    caffe::caffe_set(2, TypeParam(1), run.out().mutable_cpu_diff());
    run.Backward();
    ExpectAllNear(Diff(run.in()), {0, 0}, 0);
  }
}

TYPED_TEST(PowerLayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'Power' power_param { scale: 2 shift: 1 }", *DistinctBlob<TypeParam>({2, 3, 37}));
}

TEST(PowerLayerErrors, NoGradientInPlace) {
  LayerHarness<float> run("type: 'Power' power_param { power: 2 }", {MakeBlob<float>({3}, {1, 2, 3})});
  run.top = run.bottom;
  run.Forward();
  ExpectAllNear(Data(run.in()), {1, 4, 9}, 0);
  ExpectError([&] { run.Backward(); }, "no gradient in place");
}

}  // namespace
}  // namespace rxnn::testing
