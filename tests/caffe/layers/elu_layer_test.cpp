#include "caffe/layers/elu_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ELULayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ELULayerTest, BothTypes);

TYPED_TEST(ELULayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'ELU'", *DistinctBlob<TypeParam>({2, 3, 5, 7}, 0.05),
                               [](double x) { return x > 0 ? x : std::expm1(x); });
  ExpectElementwise<TypeParam>("type: 'ELU' elu_param { alpha: 0.5 }", *DistinctBlob<TypeParam>({2, 3, 5, 7}, 0.05),
                               [](double x) { return x > 0 ? x : 0.5 * std::expm1(x); });
}

TYPED_TEST(ELULayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'ELU' elu_param { alpha: 0.5 }", *DistinctBlob<TypeParam>({2, 3, 37}));
}

}  // namespace
}  // namespace rxnn::testing
