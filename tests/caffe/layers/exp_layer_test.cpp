#include "caffe/layers/exp_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ExpLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ExpLayerTest, BothTypes);

TYPED_TEST(ExpLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'Exp'", *RandomBlob<TypeParam>({2, 3, 5, 7}, -2, 2),
                               [](double x) { return std::exp(x); });
  ExpectElementwise<TypeParam>("type: 'Exp' exp_param { base: 2 scale: 3 shift: 1 }",
                               *RandomBlob<TypeParam>({2, 3, 5, 7}, -1, 1),
                               [](double x) { return std::pow(2, 1 + 3 * x); });
  ExpectElementwise<TypeParam>("type: 'Exp' exp_param { base: 1 }", *RandomBlob<TypeParam>({2, 3, 5, 7}, -1, 1),
                               [](double x) { return 1 + 0 * x; });
}

TYPED_TEST(ExpLayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'Exp' exp_param { scale: 0.1 }", *DistinctBlob<TypeParam>({2, 3, 37}));
}

TEST(ExpLayerErrors, NameTheBase) {
  ExpectError([] { LayerHarness<float>("type: 'Exp' exp_param { base: -2 }", {MakeBlob<float>({2})}); }, "base is -2");
}

}  // namespace
}  // namespace rxnn::testing
