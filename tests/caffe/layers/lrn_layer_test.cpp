#include "caffe/layers/lrn_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class LRNLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(LRNLayerTest, BothTypes);

// The definition, region by region.
template <typename Dtype>
std::vector<double> Reference(const caffe::Blob<Dtype>& x, int size, double alpha, double beta, double k, bool across) {
  const int half = size / 2;
  std::vector<double> y;
  for (int n = 0; n < x.num(); ++n) {
    for (int c = 0; c < x.channels(); ++c) {
      for (int h = 0; h < x.height(); ++h) {
        for (int w = 0; w < x.width(); ++w) {
          double sum = 0;
          for (int d = -half; d <= half; ++d) {
            for (int e = across ? 0 : -half; e <= (across ? 0 : half); ++e) {
              const int channel = across ? c + d : c, row = across ? h : h + d, column = w + e;
              if (channel >= 0 && channel < x.channels() && row >= 0 && row < x.height() && column >= 0 &&
                  column < x.width()) {
                sum += std::pow(x.data_at(n, channel, row, column), 2);
              }
            }
          }
          const double region = across ? size : size * size;
          y.push_back(x.data_at(n, c, h, w) * std::pow((across ? k : 1) + alpha / region * sum, -beta));
        }
      }
    }
  }
  return y;
}

struct Case {
  int size;
  double alpha, beta, k;  // values that float32 holds exactly
  bool across;
};
const Case kCases[] = {{5, 1, 0.75, 1, true},  {3, 2, 0.5, 2, true},  {15, 0.5, 0.75, 1, true}, {1, 1, 1.5, 1, true},
                       {5, 1, 0.75, 1, false}, {3, 2, 0.5, 4, false}, {15, 4, 0.75, 1, false}};

std::string LayerText(const Case& c) {
  return "type: 'LRN' lrn_param { local_size: " + std::to_string(c.size) + " alpha: " + std::to_string(c.alpha) +
         " beta: " + std::to_string(c.beta) + " k: " + std::to_string(c.k) +
         (c.across ? "" : " norm_region: WITHIN_CHANNEL") + " }";
}

TYPED_TEST(LRNLayerTest, EqualsTheDefinition) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(LayerText(c));
    LayerHarness<TypeParam> run(LayerText(c), {RandomBlob<TypeParam>({2, 7, 5, 9}, -2, 2)});
    run.Forward();
    ExpectAllNear(Data(run.out()), Reference(run.in(), c.size, c.alpha, c.beta, c.k, c.across),
                  4 * tolerance::kFewRoundings<TypeParam>);
  }
}

TEST(LRNLayerGradient, EqualsFiniteDifferences) {
  for (const Case& c : kCases) {
    SCOPED_TRACE(LayerText(c));
    LayerHarness<double> run(LayerText(c), {RandomBlob<double>({1, 5, 3, 4}, -2, 2)});
    CheckGradient(&run);
  }
}

TEST(LRNLayerErrors, NameWhatIsWrong) {
  ExpectError(
      [] {
        LayerHarness<float>("type: 'LRN' lrn_param { local_size: 4 }", {MakeBlob<float>({1, 2, 3, 3})});
      },
      "local_size is 4, expected an odd number");
  ExpectError([] { LayerHarness<float>("type: 'LRN'", {MakeBlob<float>({1, 2})}); }, "expected 4 axes");
}

}  // namespace
}  // namespace rxnn::testing
