#include "caffe/layers/relu_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ReLULayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ReLULayerTest, BothTypes);

TYPED_TEST(ReLULayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'ReLU'", *DistinctBlob<TypeParam>({2, 3, 5, 7}, 0.05),
                               [](double x) { return x > 0 ? x : 0; });
  ExpectElementwise<TypeParam>("type: 'ReLU' relu_param { negative_slope: 0.25 }",
                               *DistinctBlob<TypeParam>({2, 3, 5, 7}, 0.05),
                               [](double x) { return x > 0 ? x : 0.25 * x; });
}

TYPED_TEST(ReLULayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'ReLU'", *DistinctBlob<TypeParam>({2, 3, 37}));
  ExpectSameInPlace("type: 'ReLU' relu_param { negative_slope: 0.25 }", *DistinctBlob<TypeParam>({2, 3, 37}));
}

// Enough values for several threads.
TYPED_TEST(ReLULayerTest, IsTheSameInThreads) {
  LayerHarness<TypeParam> run("type: 'ReLU'", {RandomBlob<TypeParam>({4, 16, 33, 35})});
  run.Forward();
  for (int i = 0; i < run.in().count(); ++i) {
    ASSERT_EQ(run.out().cpu_data()[i], std::max<TypeParam>(run.in().cpu_data()[i], 0));
  }
}

}  // namespace
}  // namespace rxnn::testing
