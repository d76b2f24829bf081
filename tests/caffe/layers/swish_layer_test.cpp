#include "caffe/layers/swish_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class SwishLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(SwishLayerTest, BothTypes);

TYPED_TEST(SwishLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'Swish'", *RandomBlob<TypeParam>({2, 3, 5, 7}, -10, 10),
                               [](double x) { return x / (1 + std::exp(-x)); });
  ExpectElementwise<TypeParam>("type: 'Swish' swish_param { beta: 2 }", *RandomBlob<TypeParam>({2, 3, 5, 7}, -3, 3),
                               [](double x) { return x / (1 + std::exp(-2 * x)); });
}

TYPED_TEST(SwishLayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'Swish' swish_param { beta: 0.5 }", *DistinctBlob<TypeParam>({2, 3, 37}));
}

}  // namespace
}  // namespace rxnn::testing
