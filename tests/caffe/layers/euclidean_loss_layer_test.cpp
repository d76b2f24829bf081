#include "caffe/layers/euclidean_loss_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class EuclideanLossLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(EuclideanLossLayerTest, BothTypes);

const char kType[] = "type: 'EuclideanLoss' ";

TYPED_TEST(EuclideanLossLayerTest, IsHalfTheMeanSquaredDistance) {
  LayerHarness<TypeParam> run(
      kType, {MakeBlob<TypeParam>({2, 3}, {1, 2, 3, 4, 5, 6}), MakeBlob<TypeParam>({2, 3}, {1, 0, 3, 4, 8, 5})});
  EXPECT_EQ(run.Forward(), (4 + 9 + 1) / 4.);
  EXPECT_EQ(run.out().num_axes(), 0);
}

TYPED_TEST(EuclideanLossLayerTest, ScalesWithItsWeight) {
  const auto loss = [](const std::string& weight) {
    return LayerHarness<TypeParam>(kType + weight, {RandomBlob<TypeParam>({3, 4}), RandomBlob<TypeParam>({3, 4}, 1, 2)})
        .Forward();
  };
  EXPECT_EQ(loss("loss_weight: 4"), 4 * loss(""));
  EXPECT_EQ(loss("loss_weight: 0"), 0);
}

TEST(EuclideanLossLayerGradient, EqualsFiniteDifferences) {
  for (const std::string weight : {"", "loss_weight: 3.5"}) {
    LayerHarness<double> run(kType + weight, {RandomBlob<double>({3, 2, 4}), RandomBlob<double>({3, 2, 4}, -1, 1, 2)});
    CheckGradient(&run);
    CheckGradient(&run, {1});
    EXPECT_TRUE(run.layer->AllowForceBackward(1));
  }
}

TEST(EuclideanLossLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::vector<int>& shape) {
    return [=] { LayerHarness<float>(kType, {MakeBlob<float>({2, 3}), MakeBlob<float>(shape)}); };
  };
  ExpectError(make({3, 2}), "the same first dimension");
  ExpectError(make({2, 4}), "as many values in both");
}

}  // namespace
}  // namespace rxnn::testing
