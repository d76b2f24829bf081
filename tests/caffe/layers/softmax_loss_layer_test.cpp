#include "caffe/layers/softmax_loss_layer.hpp"

#include <cmath>
#include <limits>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class SoftmaxWithLossLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(SoftmaxWithLossLayerTest, BothTypes);

const char kType[] = "type: 'SoftmaxWithLoss' ";

// (2, 3, 2): two images, three classes, two positions; labels with one ignored.
template <typename Dtype>
std::vector<BlobPtr<Dtype>> Bottoms() {
  return {RandomBlob<Dtype>({2, 3, 2}, -2, 2), MakeBlob<Dtype>({2, 2}, {0, 2, 1, 255})};
}

TYPED_TEST(SoftmaxWithLossLayerTest, SumsOverValidPositionsAndNormalizes) {
  const auto bottoms = Bottoms<TypeParam>();
  double sum = 0;
  const std::vector<double> x = Data(*bottoms[0]), label = Data(*bottoms[1]);
  for (int n = 0; n < 2; ++n) {
    for (int i = 0; i < 2; ++i) {
      if (label[n * 2 + i] == 255) {
        continue;
      }
      double total = 0;
      for (int c = 0; c < 3; ++c) {
        total += std::exp(x[(n * 3 + c) * 2 + i]);
      }
      sum += std::log(total) - x[(n * 3 + static_cast<int>(label[n * 2 + i])) * 2 + i];
    }
  }
  const std::vector<std::pair<std::string, double>> normalizers = {{"", 3},
                                                                   {"normalization: VALID", 3},
                                                                   {"normalization: FULL", 4},
                                                                   {"normalization: BATCH_SIZE", 2},
                                                                   {"normalization: NONE", 1},
                                                                   {"normalize: true", 3},
                                                                   {"normalize: false", 2}};
  for (const auto& [text, normalizer] : normalizers) {
    SCOPED_TRACE(text);
    LayerHarness<TypeParam> run(kType + ("loss_param { ignore_label: 255 " + text + " }"), bottoms);
    EXPECT_NEAR(run.Forward(), sum / normalizer, tolerance::kFewRoundings<TypeParam> * sum);
    EXPECT_EQ(run.out().num_axes(), 0);
  }
}

TYPED_TEST(SoftmaxWithLossLayerTest, SecondTopHasTheProbabilities) {
  LayerHarness<TypeParam> run(std::string(kType) + "loss_param { ignore_label: 255 }", Bottoms<TypeParam>(), 2);
  run.Forward();
  LayerHarness<TypeParam> softmax("type: 'Softmax'", {Bottoms<TypeParam>()[0]});
  softmax.Forward();
  ExpectAllNear(Data(run.out(1)), Data(softmax.out()), 0);
}

TYPED_TEST(SoftmaxWithLossLayerTest, AllIgnoredIsNoLoss) {
  LayerHarness<TypeParam> run(std::string(kType) + "loss_param { ignore_label: 1 }",
                              {RandomBlob<TypeParam>({2, 3}), MakeBlob<TypeParam>({2}, {1, 1})});
  EXPECT_EQ(run.Forward(), 0);
}

// exp underflows for the label's class: the loss stays finite.
TYPED_TEST(SoftmaxWithLossLayerTest, ImpossibleLabelHasAFiniteLoss) {
  LayerHarness<TypeParam> run(kType, {MakeBlob<TypeParam>({1, 2}, {0, 1e4}), MakeBlob<TypeParam>({1}, {0})});
  EXPECT_NEAR(run.Forward(), -std::log(std::numeric_limits<float>::min()), 1e-4);
}

TEST(SoftmaxWithLossLayerGradient, EqualsFiniteDifferences) {
  for (const char* text : {"", "normalization: FULL", "normalization: BATCH_SIZE", "normalization: NONE"}) {
    SCOPED_TRACE(text);
    LayerHarness<double> run(kType + std::string("loss_weight: 3 loss_param { ignore_label: 255 ") + text + " }",
                             Bottoms<double>());
    CheckGradient(&run, {0});
  }
  LayerHarness<double> last_axis(std::string(kType) + "softmax_param { axis: 2 }",
                                 {RandomBlob<double>({2, 3, 4}), MakeBlob<double>({2, 3}, {0, 1, 2, 3, 2, 1})});
  CheckGradient(&last_axis, {0});
}

TEST(SoftmaxWithLossLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(kType, {MakeBlob<float>({2, 3}), MakeBlob<float>({2}, {0, 3})});
  ExpectError([&] { run.Forward(); }, "label 3 is outside of [0, 3)");
  run.in(1).mutable_cpu_data()[1] = -1;
  ExpectError([&] { run.Forward(); }, "label -1 is outside of [0, 3)");
  run.in(1).mutable_cpu_data()[1] = 1;
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient for its labels");
  ExpectError(
      [] {
        LayerHarness<float>(kType, {MakeBlob<float>({2, 3, 2}), MakeBlob<float>({2})});
      },
      "expected 4 labels");
  ExpectError(
      [] {
        LayerHarness<float>(kType, {MakeBlob<float>({2, 3}), MakeBlob<float>({3})});
      },
      "the same first dimension");
}

}  // namespace
}  // namespace rxnn::testing
