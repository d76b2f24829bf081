#include "caffe/layers/sigmoid_cross_entropy_loss_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class SigmoidCrossEntropyLossLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(SigmoidCrossEntropyLossLayerTest, BothTypes);

const char kType[] = "type: 'SigmoidCrossEntropyLoss' ";

template <typename Dtype>
std::vector<BlobPtr<Dtype>> Bottoms() {
  return {RandomBlob<Dtype>({2, 3}, -3, 3), MakeBlob<Dtype>({2, 3}, {0, 1, 0.25, -1, 1, 0})};
}

TYPED_TEST(SigmoidCrossEntropyLossLayerTest, SumsOverValidValuesAndNormalizes) {
  const auto bottoms = Bottoms<TypeParam>();
  double sum = 0;
  for (int i = 0; i < 6; ++i) {
    const double x = bottoms[0]->cpu_data()[i], t = bottoms[1]->cpu_data()[i], p = 1 / (1 + std::exp(-x));
    sum -= t == -1 ? 0 : t * std::log(p) + (1 - t) * std::log(1 - p);
  }
  const std::vector<std::pair<std::string, double>> normalizers = {{"", 2},
                                                                   {"normalization: VALID", 5},
                                                                   {"normalization: FULL", 6},
                                                                   {"normalization: BATCH_SIZE", 2},
                                                                   {"normalization: NONE", 1},
                                                                   {"normalize: true", 5},
                                                                   {"normalize: false", 2}};
  for (const auto& [text, normalizer] : normalizers) {
    SCOPED_TRACE(text);
    LayerHarness<TypeParam> run(kType + ("loss_param { ignore_label: -1 " + text + " }"), bottoms);
    EXPECT_NEAR(run.Forward(), sum / normalizer, tolerance::kFewRoundings<TypeParam> * sum);
  }
}

TYPED_TEST(SigmoidCrossEntropyLossLayerTest, DoesNotOverflow) {
  LayerHarness<TypeParam> run(
      kType, {MakeBlob<TypeParam>({1, 4}, {1e4, -1e4, 1e4, -1e4}), MakeBlob<TypeParam>({1, 4}, {1, 0, 0, 1})});
  EXPECT_EQ(run.Forward(), 2e4);
  run.layer->Backward(run.top, {true, false}, run.bottom);
  ExpectAllNear(Diff(run.in()), {0, 0, 1, -1}, 0);
}

TEST(SigmoidCrossEntropyLossLayerGradient, EqualsFiniteDifferences) {
  for (const char* text : {"", "normalization: VALID", "normalization: FULL", "normalization: NONE"}) {
    SCOPED_TRACE(text);
    LayerHarness<double> run(kType + std::string("loss_weight: 3 loss_param { ignore_label: -1 ") + text + " }",
                             Bottoms<double>());
    CheckGradient(&run, {0});
    EXPECT_EQ(run.in().cpu_diff()[3], 0);
  }
}

TEST(SigmoidCrossEntropyLossLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(kType, Bottoms<float>());
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient for its labels");
  ExpectError(
      [] {
        LayerHarness<float>(kType, {MakeBlob<float>({2, 3}), MakeBlob<float>({2, 2})});
      },
      "as many values in both");
}

}  // namespace
}  // namespace rxnn::testing
