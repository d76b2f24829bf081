#include "caffe/layers/batch_norm_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class BatchNormLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(BatchNormLayerTest, BothTypes);

const char kType[] = "type: 'BatchNorm' ";

TYPED_TEST(BatchNormLayerTest, NormalizesTheBatchInTraining) {
  LayerHarness<TypeParam> run(kType, {RandomBlob<TypeParam>({4, 3, 5, 2}, 2, 5)}, 1, caffe::TRAIN);
  run.Forward();
  for (int c = 0; c < 3; ++c) {
    double sum = 0, squares = 0, x_sum = 0, x_squares = 0;
    for (int n = 0; n < 4; ++n) {
      for (int i = 0; i < 10; ++i) {
        const double y = run.out().cpu_data()[(n * 3 + c) * 10 + i], x = run.in().cpu_data()[(n * 3 + c) * 10 + i];
        sum += y;
        squares += y * y;
        x_sum += x;
        x_squares += x * x;
      }
    }
    const double variance = x_squares / 40 - x_sum / 40 * x_sum / 40;
    EXPECT_NEAR(sum / 40, 0, 4 * tolerance::kFewRoundings<TypeParam>);
    EXPECT_NEAR(squares / 40, variance / (variance + 1e-5), 4 * tolerance::kFewRoundings<TypeParam> + 1e-9);
  }
}

// Two passes over a known batch: mean 2, variance 1, unbiased 4/3.
TYPED_TEST(BatchNormLayerTest, GathersStatisticsInTraining) {
  LayerHarness<TypeParam> run(std::string(kType) + "batch_norm_param { moving_average_fraction: 0.5 }",
                              {MakeBlob<TypeParam>({2, 1, 2}, {1, 1, 3, 3})}, 1, caffe::TRAIN);
  run.Forward();
  run.Forward();
  const double tolerance = tolerance::kExactCase<TypeParam> * 2;
  EXPECT_NEAR(run.weights(0).cpu_data()[0], 2 * 1.5, tolerance);
  EXPECT_NEAR(run.weights(1).cpu_data()[0], 4 / 3. * 1.5, tolerance);
  EXPECT_NEAR(run.weights(2).cpu_data()[0], 1.5, tolerance);
}

TYPED_TEST(BatchNormLayerTest, TestsWithTheStoredStatistics) {
  LayerHarness<TypeParam> run(std::string(kType) + "batch_norm_param { eps: 1 }",
                              {MakeBlob<TypeParam>({1, 2, 2}, {1, 2, 3, 4})});
  run.weights(0).CopyFrom(*MakeBlob<TypeParam>({2}, {2, 4}));   // means 1, 2
  run.weights(1).CopyFrom(*MakeBlob<TypeParam>({2}, {6, 16}));  // variances 3, 8
  run.weights(2).CopyFrom(*MakeBlob<TypeParam>({1}, {2}));
  run.Forward();
  ExpectAllNear(Data(run.out()), {0, 0.5, 1 / 3., 2 / 3.}, tolerance::kExactCase<TypeParam>);
  ExpectAllNear(Data(run.weights(0)), {2, 4}, 0);
}

TYPED_TEST(BatchNormLayerTest, WithoutStatisticsDividesByEpsAlone) {
  LayerHarness<TypeParam> run(std::string(kType) + "batch_norm_param { eps: 4 }",
                              {MakeBlob<TypeParam>({1, 1, 2}, {1, 2})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {0.5, 1}, 0);
}

// TRAIN may use the stored statistics too, and leaves them as they are.
TYPED_TEST(BatchNormLayerTest, TrainsWithTheStoredStatistics) {
  LayerHarness<TypeParam> run(std::string(kType) + "batch_norm_param { use_global_stats: true eps: 1 }",
                              {MakeBlob<TypeParam>({1, 1, 2}, {1, 2})}, 1, caffe::TRAIN);
  run.weights(0).CopyFrom(*MakeBlob<TypeParam>({1}, {2}));
  run.weights(1).CopyFrom(*MakeBlob<TypeParam>({1}, {6}));
  run.weights(2).CopyFrom(*MakeBlob<TypeParam>({1}, {2}));
  run.Forward();
  ExpectAllNear(Data(run.out()), {0, 0.5}, 0);
  caffe::caffe_set(2, TypeParam(1), run.out().mutable_cpu_diff());
  run.Backward();
  ExpectAllNear(Diff(run.in()), {0.5, 0.5}, 0);
  ExpectAllNear(Data(run.weights(0)), {2}, 0);
  ExpectAllNear(Data(run.weights(2)), {2}, 0);
}

// A Filter before it may pass on no image.
TYPED_TEST(BatchNormLayerTest, TakesAnEmptyBatch) {
  for (const caffe::Phase phase : {caffe::TRAIN, caffe::TEST}) {
    LayerHarness<TypeParam> run(kType, {MakeBlob<TypeParam>({0, 2, 3})}, 1, phase);
    run.Forward();
    run.Backward();
    EXPECT_EQ(run.out().shape(), (std::vector<int>{0, 2, 3}));
    ExpectAllNear(Data(run.weights(2)), {0}, 0);
  }
}

TYPED_TEST(BatchNormLayerTest, RunsInPlace) {
  for (const caffe::Phase phase : {caffe::TRAIN, caffe::TEST}) {
    ExpectSameInPlace(kType, *RandomBlob<TypeParam>({3, 4, 5}), phase);
  }
}

TEST(BatchNormLayerGradient, EqualsFiniteDifferences) {
  LayerHarness<double> train(kType, {RandomBlob<double>({3, 2, 2, 3})}, 1, caffe::TRAIN);
  CheckGradient(&train);
  LayerHarness<double> test(std::string(kType) + "batch_norm_param { eps: 0.1 }", {RandomBlob<double>({3, 2, 4})});
  CheckGradient(&test);
  LayerHarness<double> one_axis(kType, {RandomBlob<double>({7})}, 1, caffe::TRAIN);
  CheckGradient(&one_axis);
}

TEST(BatchNormLayerParam, StatisticsAreNotLearned) {
  LayerHarness<float> run(kType, {MakeBlob<float>({1, 2})});
  ASSERT_EQ(run.layer->layer_param().param_size(), 3);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(run.layer->layer_param().param(i).lr_mult(), 0);
  }
  // A net's solver is told so.
  caffe::NetParameter param;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      "layer { name: 'x' type: 'Input' top: 'x' input_param { shape { dim: 2 dim: 3 } } }"
      "layer { name: 'norm' type: 'BatchNorm' bottom: 'x' top: 'y' }",
      &param));
  EXPECT_EQ(caffe::Net<float>(param).params_lr(), (std::vector<float>{0, 0, 0}));
  ExpectError(
      [] {
        LayerHarness<float>(std::string(kType) + "param { lr_mult: 1 }", {MakeBlob<float>({1, 2})});
      },
      "lr_mult must be 0");
}

}  // namespace
}  // namespace rxnn::testing
