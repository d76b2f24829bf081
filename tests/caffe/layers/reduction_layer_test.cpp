#include "caffe/layers/reduction_layer.hpp"

#include <cmath>
#include <functional>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ReductionLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ReductionLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Reduction' reduction_param { " + param + " }"; }

TYPED_TEST(ReductionLayerTest, EqualsTheSums) {
  const std::vector<std::pair<std::string, std::function<double(double)>>> operations = {
      {"", [](double x) { return x; }},
      {"operation: SUM", [](double x) { return x; }},
      {"operation: ASUM", [](double x) { return std::abs(x); }},
      {"operation: SUMSQ", [](double x) { return x * x; }},
      {"operation: MEAN", [](double x) { return x; }}};
  const auto x = RandomBlob<TypeParam>({2, 3, 4});
  for (const auto& [operation, function] : operations) {
    for (int axis = 0; axis < 3; ++axis) {
      const std::string param = operation + " coeff: 2.5 axis: " + std::to_string(axis);
      SCOPED_TRACE(param);
      LayerHarness<TypeParam> run(LayerText(param), {x});
      run.Forward();
      ASSERT_EQ(run.out().shape(), std::vector<int>(x->shape().begin(), x->shape().begin() + axis));
      const int size = x->count(axis);
      for (int n = 0; n < run.out().count(); ++n) {
        double sum = 0;
        for (int i = n * size; i < (n + 1) * size; ++i) {
          sum += function(x->cpu_data()[i]);
        }
        const double divisor = operation == "operation: MEAN" ? size : 1;
        ASSERT_NEAR(run.out().cpu_data()[n], 2.5 * sum / divisor, SumTolerance<TypeParam>(24, 60));
      }
    }
  }
}

TEST(ReductionLayerGradient, EqualsFiniteDifferences) {
  for (const char* operation : {"SUM", "ASUM", "SUMSQ", "MEAN"}) {
    for (const char* axis : {"0", "1", "-1"}) {
      const std::string param = std::string("coeff: -1.5 operation: ") + operation + " axis: " + axis;
      SCOPED_TRACE(param);
      LayerHarness<double> run(LayerText(param), {DistinctBlob<double>({2, 3, 4})});
      CheckGradient(&run);
    }
  }
}

// As a loss, as in Caffe's own nets: the weighted sum of a blob.
TEST(ReductionLayerGradient, IsALossWithAWeight) {
  LayerHarness<double> run(LayerText("operation: SUMSQ") + " loss_weight: 0.5", {MakeBlob<double>({3}, {1, 2, 3})});
  EXPECT_EQ(run.Forward(), 7);
  run.Backward();
  ExpectAllNear(Diff(run.in()), {1, 2, 3}, 0);
}

TEST(ReductionLayerErrors, NameWhatIsWrong) {
  ExpectError([] { LayerHarness<float>(LayerText("axis: 2"), {MakeBlob<float>({2, 3})}); }, "axis 2");
}

}  // namespace
}  // namespace rxnn::testing
