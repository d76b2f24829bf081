#include "caffe/layers/pooling_layer.hpp"

#include <limits>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class PoolingLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(PoolingLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Pooling' pooling_param { " + param + " }"; }

// 3x5 image and its 2x2 windows at stride 1, pooled size 2x4.
const std::vector<double> kImage = {1, 2, 5, 2, 3, 9, 4, 1, 4, 8, 1, 2, 5, 2, 3};

TYPED_TEST(PoolingLayerTest, MaxTakesTheLargestAndItsPlace) {
  LayerHarness<TypeParam> run(LayerText("kernel_size: 2"), {MakeBlob<TypeParam>({1, 1, 3, 5}, kImage)}, 2);
  run.Forward();
  EXPECT_EQ(run.out().shape(), (std::vector<int>{1, 1, 2, 4}));
  ExpectAllNear(Data(run.out()), {9, 5, 5, 8, 9, 5, 5, 8}, 0);
  ExpectAllNear(Data(run.out(1)), {5, 2, 2, 9, 5, 12, 12, 9}, 0);
}

TYPED_TEST(PoolingLayerTest, MaxNeverTakesPadding) {
  LayerHarness<TypeParam> run(LayerText("kernel_size: 3 pad: 1 stride: 2"),
                              {MakeBlob<TypeParam>({1, 1, 3, 3}, {-1, -2, -3, -4, -5, -6, -7, -8, -9})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {-1, -2, -4, -5}, 0);
}

// Divisors: 4 at the corners, where all of a 2x2 window lies in the padded image; windows that CEIL lets hang over the
// padded image are divided by what is left of them.
TYPED_TEST(PoolingLayerTest, AverageDividesByThePaddedWindow) {
  LayerHarness<TypeParam> run(LayerText("pool: AVE kernel_size: 3 stride: 2 pad: 1"),
                              {MakeBlob<TypeParam>({1, 1, 4, 4}, std::vector<double>(16, 36))});
  run.Forward();
  EXPECT_EQ(run.out().shape(), (std::vector<int>{1, 1, 3, 3}));
  // Window starts -1, 1, 3; rows inside the image 2, 3, 1; rows inside the padded image 3, 3, 2.
  ExpectAllNear(
      Data(run.out()),
      {36 * 4 / 9., 36 * 6 / 9., 36 * 2 / 6., 36 * 6 / 9., 36, 36 * 3 / 6., 36 * 2 / 6., 36 * 3 / 6., 36 / 4.},
      36 * tolerance::kExactCase<TypeParam>);
}

TEST(PoolingLayerShape, FollowsRoundModeAndClipsTheLastWindow) {
  const auto pooled = [](const std::string& param, int height, int width) {
    LayerHarness<float> run(LayerText(param), {MakeBlob<float>({2, 3, height, width})});
    return std::vector<int>(run.out().shape().begin() + 2, run.out().shape().end());
  };
  const auto shape = [](int h, int w) { return std::vector<int>{h, w}; };
  EXPECT_EQ(pooled("kernel_size: 3 stride: 2", 113, 227), shape(56, 113));
  EXPECT_EQ(pooled("kernel_size: 3 stride: 2", 112, 6), shape(56, 3));
  EXPECT_EQ(pooled("kernel_size: 3 stride: 2 round_mode: FLOOR", 112, 6), shape(55, 2));
  EXPECT_EQ(pooled("kernel_size: 3 stride: 2 pad: 1", 4, 5), shape(3, 3));
  // ceil((4 + 2 - 2) / 2) + 1 = 3, and the third window starts at 3, the last place of the image ...
  EXPECT_EQ(pooled("kernel_size: 2 stride: 2 pad: 1", 4, 4), shape(3, 3));
  // ... but with 3 rows the third would start in the padding behind them.
  EXPECT_EQ(pooled("kernel_size: 2 stride: 3 pad: 1", 3, 3), shape(2, 2));
  EXPECT_EQ(pooled("kernel_size: 1 stride: 2", 6, 7), shape(3, 4));
  EXPECT_EQ(pooled("kernel_h: 2 kernel_w: 5 stride_h: 1 stride_w: 3 pad_h: 1 pad_w: 2", 4, 6), shape(5, 3));
  EXPECT_EQ(pooled("global_pooling: true pool: AVE", 13, 11), shape(1, 1));
  // A kernel larger than the image, by less than a stride.
  EXPECT_EQ(pooled("kernel_size: 3 stride: 2", 2, 5), shape(1, 2));
}

// Each output of random geometries against a search of its window.
TYPED_TEST(PoolingLayerTest, EqualsTheDefinitionOverGeometries) {
  for (int kernel : {1, 2, 3, 5}) {
    for (int stride : {1, 2, 3}) {
      for (int pad = 0; pad < std::min(kernel, 3); ++pad) {
        for (const std::string method : {"MAX", "AVE"}) {
          const std::string param = "pool: " + method + " kernel_size: " + std::to_string(kernel) +
                                    " stride: " + std::to_string(stride) + " pad: " + std::to_string(pad);
          SCOPED_TRACE(param);
          const int height = 7, width = 10;
          LayerHarness<TypeParam> run(LayerText(param), {RandomBlob<TypeParam>({2, 3, height, width})});
          run.Forward();
          // In TRAIN phase, which may take another way, the same.
          LayerHarness<TypeParam> trained(LayerText(param), {RandomBlob<TypeParam>({2, 3, height, width})}, 1,
                                          caffe::TRAIN);
          trained.Forward();
          ExpectAllNear(Data(trained.out()), Data(run.out()), SumTolerance<TypeParam>(25, 1));
          for (auto* harness : {&run, &trained}) {
            std::fill_n(harness->out().mutable_cpu_diff(), harness->out().count(), 1.0);
            harness->Backward();
          }
          ExpectAllNear(Diff(trained.in()), Diff(run.in()), SumTolerance<TypeParam>(25, 1));
          for (int i = 0; i < run.out().count(); ++i) {
            const int pw = i % run.out().width(), ph = i / run.out().width() % run.out().height();
            const int plane = i / run.out().count(2);
            double sum = 0, largest = -std::numeric_limits<double>::infinity();
            int size = 0;
            for (int h = ph * stride - pad; h < std::min(ph * stride - pad + kernel, height + pad); ++h) {
              for (int w = pw * stride - pad; w < std::min(pw * stride - pad + kernel, width + pad); ++w) {
                ++size;
                if (h >= 0 && h < height && w >= 0 && w < width) {
                  const double value = run.in().cpu_data()[(plane * height + h) * width + w];
                  sum += value;
                  largest = std::max(largest, value);
                }
              }
            }
            const double expected = method == "MAX" ? largest : sum / size;
            ASSERT_NEAR(run.out().cpu_data()[i], expected, SumTolerance<TypeParam>(25, 1)) << "at " << i;
          }
        }
      }
    }
  }
}

TYPED_TEST(PoolingLayerTest, KernelMayHangOverASmallImage) {
  for (const auto& [pool, expected] : std::vector<std::pair<std::string, double>>{{"MAX", 4}, {"AVE", 2.5}}) {
    LayerHarness<TypeParam> run(LayerText("kernel_size: 3 stride: 2 pool: " + pool),
                                {MakeBlob<TypeParam>({1, 1, 2, 2}, {1, 2, 3, 4})});
    run.Forward();
    ExpectAllNear(Data(run.out()), {expected}, 0);
  }
}

TEST(PoolingLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"kernel_size: 3 stride: 2", "kernel_size: 3 stride: 1 pad: 1",
                            "pool: AVE kernel_size: 3 pad: 1", "pool: AVE kernel_size: 3 stride: 2 pad: 2",
                            "pool: AVE global_pooling: true", "kernel_h: 1 kernel_w: 3 stride_h: 2 stride_w: 1"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {DistinctBlob<double>({2, 2, 5, 6})});
    CheckGradient(&run);
  }
  LayerHarness<double> with_mask(LayerText("kernel_size: 2"), {DistinctBlob<double>({1, 2, 3, 5})}, 2);
  with_mask.Forward();
  std::fill_n(with_mask.out().mutable_cpu_diff(), with_mask.out().count(), 1.0);
  with_mask.Backward();
  LayerHarness<double> without(LayerText("kernel_size: 2"), {DistinctBlob<double>({1, 2, 3, 5})});
  without.Forward();
  std::fill_n(without.out().mutable_cpu_diff(), without.out().count(), 1.0);
  without.Backward();
  ExpectAllNear(Diff(with_mask.in()), Diff(without.in()), 0);
}

TYPED_TEST(PoolingLayerTest, StochasticTestsWithTheExpectation) {
  LayerHarness<TypeParam> run(LayerText("pool: STOCHASTIC kernel_size: 2 stride: 2"),
                              {MakeBlob<TypeParam>({1, 1, 2, 4}, {1, 2, 0, 0, 3, 4, 0, 0})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {(1 + 4 + 9 + 16) / 10., 0}, 4 * tolerance::kExactCase<TypeParam>);
}

// 40000 draws from (1, 2, 3, 4): the frequencies are within 5 standard deviations of i/10.
TEST(PoolingLayerStochastic, DrawsInProportionToTheValues) {
  const int draws = 40000;
  auto image = MakeBlob<double>({draws, 1, 2, 2});
  for (int i = 0; i < image->count(); ++i) {
    image->mutable_cpu_data()[i] = i % 4 + 1;
  }
  LayerHarness<double> run(LayerText("pool: STOCHASTIC kernel_size: 2"), {image}, 1, caffe::TRAIN);
  caffe::Caffe::set_random_seed(1);
  run.Forward();
  std::vector<int> count(5, 0);
  for (int i = 0; i < draws; ++i) {
    ++count[static_cast<int>(run.out().cpu_data()[i])];
  }
  EXPECT_EQ(count[0], 0);
  for (int value = 1; value <= 4; ++value) {
    const double p = value / 10.;
    EXPECT_NEAR(count[value], draws * p, 5 * std::sqrt(draws * p * (1 - p)));
  }
}

TEST(PoolingLayerStochastic, GradientEqualsFiniteDifferences) {
  LayerHarness<double> test(LayerText("pool: STOCHASTIC kernel_size: 2 stride: 2"),
                            {RandomBlob<double>({2, 2, 4, 5}, 0.5, 1)});
  CheckGradient(&test);
  // In TRAIN phase the gradient goes to the value that was drawn.
  LayerHarness<double> train(LayerText("pool: STOCHASTIC kernel_size: 2 stride: 2"),
                             {DistinctBlob<double>({1, 1, 2, 2}, 1)}, 1, caffe::TRAIN);
  for (int i = 0; i < 4; ++i) {
    train.in().mutable_cpu_data()[i] += 2;
  }
  train.Forward();
  train.out().mutable_cpu_diff()[0] = 7;
  train.Backward();
  for (int i = 0; i < 4; ++i) {
    EXPECT_EQ(train.in().cpu_diff()[i], train.in().cpu_data()[i] == train.out().cpu_data()[0] ? 7 : 0);
  }
}

TEST(PoolingLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param, const std::vector<int>& shape = {1, 1, 4, 4}, int tops = 1) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>(shape)}, tops); };
  };
  ExpectError(make(""), "kernel_size");
  ExpectError(make("kernel_size: 2 kernel_h: 2"), "kernel_size");
  ExpectError(make("kernel_h: 2"), "together");
  ExpectError(make("kernel_size: 0"), "at least 1x1");
  ExpectError(make("kernel_size: 5"), "kernel 5x5 with pad 0x0 does not fit");
  ExpectError(make("kernel_size: 3 stride: 2 round_mode: FLOOR", {1, 1, 2, 2}), "does not fit");
  ExpectError(make("kernel_size: 4 stride: 2", {1, 1, 2, 2}), "does not fit");
  ExpectError(make("kernel_size: 2 pad: 2"), "pad must be smaller");
  ExpectError(make("kernel_size: 2 stride: 0"), "stride must be at least 1");
  ExpectError(make("kernel_size: 2 global_pooling: true"), "give no kernel");
  ExpectError(make("pool: STOCHASTIC kernel_size: 2 pad: 1"), "takes no pad");
  ExpectError(make("kernel_size: 2", {1, 4, 4}), "expected 4 axes");
}

}  // namespace
}  // namespace rxnn::testing
