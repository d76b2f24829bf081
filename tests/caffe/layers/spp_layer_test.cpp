#include "caffe/layers/spp_layer.hpp"

#include <algorithm>
#include <limits>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class SPPLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(SPPLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'SPP' spp_param { " + param + " }"; }

// The vector has the same length for every image size.
TEST(SPPLayerShape, DoesNotDependOnTheImage) {
  for (const std::vector<int>& shape : std::vector<std::vector<int>>{{2, 3, 9, 8}, {4, 3, 4, 4}, {1, 3, 7, 30}}) {
    LayerHarness<float> run(LayerText("pyramid_height: 3"), {MakeBlob<float>(shape)});
    EXPECT_EQ(run.out().shape(), (std::vector<int>{shape[0], 3 * 21}));
  }
  LayerHarness<float> one(LayerText("pyramid_height: 1"), {MakeBlob<float>({2, 3, 9, 8})});
  EXPECT_EQ(one.out().shape(), (std::vector<int>{2, 3, 1, 1}));
}

// Bins of ceil(size / n) rows; the first one begins (ceil(size / n) n - size + 1) / 2 rows above the image.
TYPED_TEST(SPPLayerTest, PoolsEveryBin) {
  for (const std::string pool : {"MAX", "AVE"}) {
    SCOPED_TRACE(pool);
    const int height = 9, width = 8;
    LayerHarness<TypeParam> run(LayerText("pyramid_height: 3 pool: " + pool),
                                {RandomBlob<TypeParam>({2, 3, height, width})});
    run.Forward();
    int i = 0;
    for (int n = 0; n < 2; ++n) {
      for (int level = 0; level < 3; ++level) {
        const int bins = 1 << level;
        const int kernel_h = (height + bins - 1) / bins, kernel_w = (width + bins - 1) / bins;
        const int pad_h = (kernel_h * bins - height + 1) / 2, pad_w = (kernel_w * bins - width + 1) / 2;
        for (int bin = 0; bin < 3 * bins * bins; ++bin, ++i) {
          const int first_h = bin / bins % bins * kernel_h - pad_h, first_w = bin % bins * kernel_w - pad_w;
          double largest = -std::numeric_limits<double>::infinity(), sum = 0;
          int size = 0;
          for (int h = first_h; h < std::min(first_h + kernel_h, height + pad_h); ++h) {
            for (int w = first_w; w < std::min(first_w + kernel_w, width + pad_w); ++w, ++size) {
              if (h >= 0 && h < height && w >= 0 && w < width) {
                largest = std::max<double>(largest, run.in().data_at(n, bin / (bins * bins), h, w));
                sum += run.in().data_at(n, bin / (bins * bins), h, w);
              }
            }
          }
          ASSERT_NEAR(run.out().cpu_data()[i], pool == "MAX" ? largest : sum / size, SumTolerance<TypeParam>(72, 1))
              << "at " << i;
        }
      }
    }
    EXPECT_EQ(i, run.out().count());
  }
}

TYPED_TEST(SPPLayerTest, TakesImagesOfAnotherSize) {
  const auto first = RandomBlob<TypeParam>({1, 2, 6, 6}), second = RandomBlob<TypeParam>({2, 2, 5, 9});
  LayerHarness<TypeParam> run(LayerText("pyramid_height: 2"), {first});
  run.Forward();
  run.in().CopyFrom(*second, false, true);
  run.Forward();
  LayerHarness<TypeParam> fresh(LayerText("pyramid_height: 2"), {second});
  fresh.Forward();
  EXPECT_EQ(run.out().shape(), fresh.out().shape());
  ExpectAllNear(Data(run.out()), Data(fresh.out()), 0);
}

TEST(SPPLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"pyramid_height: 3", "pyramid_height: 2 pool: AVE", "pyramid_height: 1"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {DistinctBlob<double>({2, 2, 4, 7})});
    CheckGradient(&run);
  }
}

TEST(SPPLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>({1, 1, 5, 5})}); };
  };
  ExpectError(make(""), "pyramid_height is 0");
  ExpectError(make("pyramid_height: 16"), "pyramid_height is 16");
  ExpectError(make("pyramid_height: 3"), "5x5 cannot be cut into 4x4 bins");
  ExpectError([] { LayerHarness<float>(LayerText("pyramid_height: 1"), {MakeBlob<float>({1, 5})}); }, "4 axes");
}

}  // namespace
}  // namespace rxnn::testing
