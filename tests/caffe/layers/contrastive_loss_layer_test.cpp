#include "caffe/layers/contrastive_loss_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ContrastiveLossLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ContrastiveLossLayerTest, BothTypes);

std::string LayerText(const std::string& param) {
  return "type: 'ContrastiveLoss' contrastive_loss_param { " + param + " }";
}

// Distances 5, 5 and 0.5; the first pair alike.
template <typename Dtype>
std::vector<BlobPtr<Dtype>> Bottoms() {
  return {MakeBlob<Dtype>({3, 2}, {1, 2, 1, 2, 1, 2}), MakeBlob<Dtype>({3, 2}, {4, 6, 4, 6, 1, 2.5}),
          MakeBlob<Dtype>({3, 1}, {1, 0, 0})};
}

TYPED_TEST(ContrastiveLossLayerTest, PullsTogetherAndPushesApart) {
  const auto loss = [](const std::string& param) {
    return LayerHarness<TypeParam>(LayerText(param), Bottoms<TypeParam>()).Forward();
  };
  const double tolerance = 10 * tolerance::kExactCase<TypeParam>;
  EXPECT_NEAR(loss(""), (25 + 0 + 0.25) / 6, tolerance);
  EXPECT_NEAR(loss("margin: 6"), (25 + 1 + 5.5 * 5.5) / 6, tolerance);
  EXPECT_NEAR(loss("legacy_version: true"), (25 + 0 + 0.75) / 6, tolerance);
  EXPECT_NEAR(loss("legacy_version: true margin: 27"), (25 + 2 + 26.75) / 6, 2 * tolerance);
}

TEST(ContrastiveLossLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"", "margin: 6", "legacy_version: true", "legacy_version: true margin: 27"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param) + " loss_weight: 2", Bottoms<double>());
    CheckGradient(&run, {0, 1});
    CheckGradient(&run, {1});
  }
}

TEST(ContrastiveLossLayerGradient, IsFiniteForEqualVectors) {
  LayerHarness<double> run(LayerText(""), {MakeBlob<double>({1, 2}), MakeBlob<double>({1, 2}), MakeBlob<double>({1})});
  EXPECT_EQ(run.Forward(), 0.5);
  run.layer->Backward(run.top, {true, true, false}, run.bottom);
  ExpectAllNear(Diff(run.in(0)), {0, 0}, 0);
}

TEST(ContrastiveLossLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(LayerText(""), Bottoms<float>());
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient for its labels");
  EXPECT_FALSE(run.layer->AllowForceBackward(2));
  EXPECT_TRUE(run.layer->AllowForceBackward(1));
  ExpectError(
      [] {
        LayerHarness<float>(LayerText(""), {MakeBlob<float>({2, 3}), MakeBlob<float>({2, 2}), MakeBlob<float>({2})});
      },
      "as many values in both");
  ExpectError(
      [] {
        LayerHarness<float>(LayerText(""), {MakeBlob<float>({2, 3}), MakeBlob<float>({2, 3}), MakeBlob<float>({3})});
      },
      "one value for each of the 2 pairs");
}

}  // namespace
}  // namespace rxnn::testing
