#include "caffe/layers/sigmoid_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class SigmoidLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(SigmoidLayerTest, BothTypes);

TYPED_TEST(SigmoidLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'Sigmoid'", *RandomBlob<TypeParam>({2, 3, 5, 7}, -10, 10),
                               [](double x) { return 1 / (1 + std::exp(-x)); });
}

TYPED_TEST(SigmoidLayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'Sigmoid'", *DistinctBlob<TypeParam>({2, 3, 37}));
}

}  // namespace
}  // namespace rxnn::testing
