#include "caffe/layers/accuracy_layer.hpp"

#include <algorithm>
#include <limits>

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class AccuracyLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(AccuracyLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Accuracy' accuracy_param { " + param + " }"; }

template <typename Dtype>
double Accuracy(const std::string& param, const std::vector<BlobPtr<Dtype>>& bottoms) {
  LayerHarness<Dtype> run(LayerText(param), bottoms);
  run.Forward();
  EXPECT_EQ(run.out().num_axes(), 0);
  return run.out().cpu_data()[0];
}

// Against a sort of every row, scores distinct.
TYPED_TEST(AccuracyLayerTest, EqualsASort) {
  const int rows = 50, classes = 17;
  const auto scores = DistinctBlob<TypeParam>({rows, classes});
  const auto labels = MakeBlob<TypeParam>({rows});
  for (int n = 0; n < rows; ++n) {
    labels->mutable_cpu_data()[n] = (n * 7) % classes;
  }
  for (int top_k : {1, 2, 5, 17}) {
    int hits = 0;
    for (int n = 0; n < rows; ++n) {
      const TypeParam* row = scores->cpu_data() + n * classes;
      const TypeParam own = row[static_cast<int>(labels->cpu_data()[n])];
      std::vector<TypeParam> sorted(row, row + classes);
      std::sort(sorted.rbegin(), sorted.rend());
      hits += std::find(sorted.begin(), sorted.begin() + top_k, own) != sorted.begin() + top_k;
    }
    EXPECT_NEAR(Accuracy<TypeParam>("top_k: " + std::to_string(top_k), {scores, labels}), hits / 50.,
                tolerance::kExactCase<TypeParam>);
  }
}

TYPED_TEST(AccuracyLayerTest, TiesCountAgainstTheLabel) {
  const auto scores = MakeBlob<TypeParam>({1, 4}, {1, 1, 1, 0}), label = MakeBlob<TypeParam>({1}, {0});
  EXPECT_EQ(Accuracy<TypeParam>("top_k: 1", {scores, label}), 0);
  EXPECT_EQ(Accuracy<TypeParam>("top_k: 2", {scores, label}), 0);
  EXPECT_EQ(Accuracy<TypeParam>("top_k: 3", {scores, label}), 1);
}

TYPED_TEST(AccuracyLayerTest, NotANumberIsNeverCorrect) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ(
      Accuracy<TypeParam>("", {MakeBlob<TypeParam>({2, 2}, {nan, nan, nan, 1}), MakeBlob<TypeParam>({2}, {0, 1})}), 0);
}

TYPED_TEST(AccuracyLayerTest, WorksAlongAnyAxisAndIgnores) {
  // (1, 2 classes, 3 positions); position 2 is ignored.
  const auto scores = MakeBlob<TypeParam>({1, 2, 3}, {5, 1, 9, 2, 4, 0});
  const auto labels = MakeBlob<TypeParam>({1, 3}, {0, 0, 7});
  EXPECT_EQ(Accuracy<TypeParam>("ignore_label: 7", {scores, labels}), 0.5);
  // The same with the classes last.
  const auto last = MakeBlob<TypeParam>({1, 3, 2}, {5, 2, 1, 4, 9, 0});
  EXPECT_EQ(Accuracy<TypeParam>("axis: -1 ignore_label: 7", {last, labels}), 0.5);
  EXPECT_EQ(Accuracy<TypeParam>("ignore_label: 0", {MakeBlob<TypeParam>({1, 2}), MakeBlob<TypeParam>({1})}), 0);
}

TYPED_TEST(AccuracyLayerTest, SecondTopIsPerClass) {
  LayerHarness<TypeParam> run(
      LayerText(""),
      {MakeBlob<TypeParam>({4, 3}, {1, 0, 0, 0, 1, 0, 0, 1, 0, 1, 0, 0}), MakeBlob<TypeParam>({4}, {0, 1, 0, 0})}, 2);
  for (int pass = 0; pass < 2; ++pass) {  // nothing is carried over from one pass to the next
    run.Forward();
    EXPECT_EQ(run.out().cpu_data()[0], TypeParam(0.75));
    ExpectAllNear(Data(run.out(1)), {2 / 3., 1, 0}, tolerance::kExactCase<TypeParam>);
  }
}

TEST(AccuracyLayerErrors, NameWhatIsWrong) {
  const auto scores = MakeBlob<float>({2, 3});
  const auto run = [&](const std::string& param, const BlobPtr<float>& labels) {
    return [=] { Accuracy<float>(param, {scores, labels}); };
  };
  ExpectError(run("", MakeBlob<float>({2}, {0, 3})), "label 3 is outside of [0, 3)");
  ExpectError(run("", MakeBlob<float>({3})), "expected 2 labels");
  ExpectError(run("top_k: 4", MakeBlob<float>({2})), "top_k 4 of 3 classes");
  ExpectError(run("top_k: 0", MakeBlob<float>({2})), "top_k must be at least 1");
  LayerHarness<float> layer(LayerText(""), {scores, MakeBlob<float>({2})});
  ExpectError([&] { layer.Backward(); }, "no gradient");
}

}  // namespace
}  // namespace rxnn::testing
