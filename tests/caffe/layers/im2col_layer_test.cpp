#include "caffe/layers/im2col_layer.hpp"

#include <tuple>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class Im2colLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(Im2colLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Im2col' convolution_param { " + param + " }"; }

TYPED_TEST(Im2colLayerTest, UnrollsPositionsIntoColumns) {
  LayerHarness<TypeParam> run(LayerText("kernel_h: 2 kernel_w: 3 stride: 2 pad: 1 dilation: 2"),
                              {DistinctBlob<TypeParam>({2, 3, 7, 8})});
  run.Forward();
  ASSERT_EQ(run.out().shape(), (std::vector<int>{2, 3 * 6, 4, 3}));
  for (int i = 0; i < run.out().count(); ++i) {
    const int w = i % 3, h = i / 3 % 4, row = i / 12 % 18, n = i / 216;
    const int y = 2 * h - 1 + 2 * (row / 3 % 2), x = 2 * w - 1 + 2 * (row % 3);
    const bool inside = y >= 0 && y < 7 && x >= 0 && x < 8;
    ASSERT_EQ(run.out().cpu_data()[i], inside ? run.in().data_at(n, row / 6, y, x) : 0) << "at " << i;
  }
}

// The product with the weights is the convolution, for any number of axes and any channel axis.
TYPED_TEST(Im2colLayerTest, GivesTheColumnsOfAConvolution) {
  const std::vector<std::tuple<std::vector<int>, std::string, int>> cases = {
      {{2, 3, 9}, "kernel_size: 3 stride: 2", 2},
      {{1, 2, 4, 5, 6}, "kernel_size: 2 pad: 1", 1},
      {{2, 3, 2, 5, 5}, "kernel_size: 3 axis: 2", 6}};
  for (const auto& [shape, param, images] : cases) {
    SCOPED_TRACE(param);
    const auto x = RandomBlob<TypeParam>(shape);
    LayerHarness<TypeParam> columns(LayerText(param), {x});
    LayerHarness<TypeParam> convolution(
        "type: 'Convolution' convolution_param { num_output: 1 bias_term: false " + param + " }", {x});
    convolution.RandomizeWeights();
    columns.Forward();
    convolution.Forward();
    const int rows = convolution.weights().count(), positions = convolution.out().count() / images;
    ASSERT_EQ(columns.out().count(), images * rows * positions);
    for (int i = 0; i < convolution.out().count(); ++i) {
      double sum = 0;
      for (int r = 0; r < rows; ++r) {
        sum += static_cast<double>(convolution.weights().cpu_data()[r]) *
               columns.out().cpu_data()[(i / positions * rows + r) * positions + i % positions];
      }
      ASSERT_NEAR(convolution.out().cpu_data()[i], sum, SumTolerance<TypeParam>(rows, rows));
    }
  }
}

TEST(Im2colLayerGradient, EqualsFiniteDifferences) {
  for (const char* param :
       {"kernel_size: 3 stride: 2", "kernel_size: 3 pad: 1 dilation: 2", "kernel_h: 1 kernel_w: 2"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {RandomBlob<double>({2, 2, 5, 4})});
    CheckGradient(&run);
  }
  LayerHarness<double> one_axis(LayerText("kernel_size: 3"), {RandomBlob<double>({2, 2, 6})});
  CheckGradient(&one_axis);
}

TEST(Im2colLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>({1, 2, 4, 4})}); };
  };
  ExpectError(make(""), "kernel_size");
  ExpectError(make("kernel_size: 5"), "does not fit");
  ExpectError(make("kernel_size: 2 axis: 3"), "no spatial axis");
}

}  // namespace
}  // namespace rxnn::testing
