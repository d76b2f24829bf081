#include "caffe/layers/absval_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class AbsValLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(AbsValLayerTest, BothTypes);

TYPED_TEST(AbsValLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'AbsVal'", *DistinctBlob<TypeParam>({2, 3, 5, 7}, 0.05),
                               [](double x) { return std::abs(x); });
}

TEST(AbsValLayerErrors, NotInPlace) {
  ExpectError([] { ExpectSameInPlace("type: 'AbsVal'", *MakeBlob<float>({2})); }, "cannot run in place");
}

}  // namespace
}  // namespace rxnn::testing
