#include "caffe/layers/tanh_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class TanHLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(TanHLayerTest, BothTypes);

TYPED_TEST(TanHLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'TanH'", *RandomBlob<TypeParam>({2, 3, 5, 7}, -5, 5),
                               [](double x) { return std::tanh(x); });
}

TYPED_TEST(TanHLayerTest, RunsInPlace) { ExpectSameInPlace("type: 'TanH'", *DistinctBlob<TypeParam>({2, 3, 37})); }

}  // namespace
}  // namespace rxnn::testing
