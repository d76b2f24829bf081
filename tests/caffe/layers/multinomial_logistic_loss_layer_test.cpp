#include "caffe/layers/multinomial_logistic_loss_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class MultinomialLogisticLossLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(MultinomialLogisticLossLayerTest, BothTypes);

const char kType[] = "type: 'MultinomialLogisticLoss' ";

TYPED_TEST(MultinomialLogisticLossLayerTest, IsTheMeanLogOfTheLabelsProbability) {
  LayerHarness<TypeParam> run(
      kType, {MakeBlob<TypeParam>({2, 3}, {0.5, 0.25, 0.25, 0.125, 0.75, 0.125}), MakeBlob<TypeParam>({2}, {0, 2})});
  EXPECT_NEAR(run.Forward(), std::log(16.) / 2, 2 * tolerance::kExactCase<TypeParam>);
  run.in().mutable_cpu_data()[0] = 0;
  EXPECT_NEAR(run.Forward(), (std::log(8.) - std::log(1e-20)) / 2, 1e-5);
}

TEST(MultinomialLogisticLossLayerGradient, EqualsFiniteDifferences) {
  LayerHarness<double> run(std::string(kType) + "loss_weight: 3",
                           {RandomBlob<double>({4, 5}, 0.1, 1), MakeBlob<double>({4, 1}, {0, 4, 2, 2})});
  CheckGradient(&run, {0});
}

TEST(MultinomialLogisticLossLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(kType, {RandomBlob<float>({2, 3}, 0.1, 1), MakeBlob<float>({2}, {0, 3})});
  ExpectError([&] { run.Forward(); }, "label 3 is outside of [0, 3)");
  run.in(1).mutable_cpu_data()[1] = 0;
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient for its labels");
  ExpectError(
      [] {
        LayerHarness<float>(kType, {MakeBlob<float>({2, 3}), MakeBlob<float>({2, 3})});
      },
      "expected 2 labels");
}

}  // namespace
}  // namespace rxnn::testing
