#include "caffe/layers/log_layer.hpp"

#include <cmath>

#include "tests/support/neuron_test.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class LogLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(LogLayerTest, BothTypes);

TYPED_TEST(LogLayerTest, EqualsItsFormula) {
  ExpectElementwise<TypeParam>("type: 'Log'", *RandomBlob<TypeParam>({2, 3, 5, 7}, 0.1, 5),
                               [](double x) { return std::log(x); });
  ExpectElementwise<TypeParam>("type: 'Log' log_param { base: 2 scale: 3 shift: 4 }",
                               *RandomBlob<TypeParam>({2, 3, 5, 7}, -1, 1),
                               [](double x) { return std::log2(4 + 3 * x); });
}

TYPED_TEST(LogLayerTest, RunsInPlace) {
  ExpectSameInPlace("type: 'Log' log_param { base: 10 }", *RandomBlob<TypeParam>({2, 3, 7}, 0.1, 5));
}

TEST(LogLayerErrors, NameTheBase) {
  const auto make = [](const std::string& base) {
    return [=] { LayerHarness<float>("type: 'Log' log_param { base: " + base + " }", {MakeBlob<float>({2})}); };
  };
  ExpectError(make("0"), "base is 0");
  ExpectError(make("1"), "base 1 has no logarithm");
}

}  // namespace
}  // namespace rxnn::testing
