#include "caffe/layers/bnll_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class BNLLLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(BNLLLayerTest, BothTypes);

TYPED_TEST(BNLLLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'BNLL'", *RandomBlob<TypeParam>({2, 3, 5, 7}, -10, 10),
                               [](double x) { return std::log1p(std::exp(x)); });
}

TYPED_TEST(BNLLLayerTest, RunsInPlace) { ExpectSameInPlace("type: 'BNLL'", *DistinctBlob<TypeParam>({2, 3, 37})); }

TYPED_TEST(BNLLLayerTest, DoesNotOverflow) {
  LayerHarness<TypeParam> run("type: 'BNLL'", {MakeBlob<TypeParam>({2}, {1000, -1000})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {1000, 0}, 0);
}

}  // namespace
}  // namespace rxnn::testing
