#include "caffe/layers/mvn_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class MVNLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(MVNLayerTest, BothTypes);

std::string LayerText(const std::string& param = "") { return "type: 'MVN' mvn_param { " + param + " }"; }

TYPED_TEST(MVNLayerTest, NormalizesEveryPart) {
  for (const bool across : {false, true}) {
    for (const bool variance : {false, true}) {
      const std::string param = std::string("across_channels: ") + (across ? "true" : "false") +
                                " normalize_variance: " + (variance ? "true" : "false") + " eps: 0.5";
      SCOPED_TRACE(param);
      LayerHarness<TypeParam> run(LayerText(param), {RandomBlob<TypeParam>({2, 3, 4, 5}, 1, 4)});
      run.Forward();
      const int size = across ? 60 : 20;
      for (int first = 0; first < 120; first += size) {
        double sum = 0, squares = 0;
        for (int i = first; i < first + size; ++i) {
          sum += run.in().cpu_data()[i];
          squares += std::pow(run.in().cpu_data()[i], 2);
        }
        const double mean = sum / size, deviation = std::sqrt(squares / size - mean * mean);
        for (int i = first; i < first + size; ++i) {
          ASSERT_NEAR(run.out().cpu_data()[i], (run.in().cpu_data()[i] - mean) / (variance ? deviation + 0.5 : 1),
                      4 * tolerance::kFewRoundings<TypeParam>);
        }
      }
    }
  }
}

TYPED_TEST(MVNLayerTest, ConstantPartsBecomeZero) {
  LayerHarness<TypeParam> run(LayerText(), {MakeBlob<TypeParam>({1, 1, 4}, {3, 3, 3, 3})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {0, 0, 0, 0}, 0);
  caffe::caffe_set(4, TypeParam(1), run.out().mutable_cpu_diff());
  run.Backward();
  ExpectAllNear(Diff(run.in()), {0, 0, 0, 0}, 0);
}

TYPED_TEST(MVNLayerTest, RunsInPlace) { ExpectSameInPlace(LayerText(), *RandomBlob<TypeParam>({3, 4, 5})); }

TEST(MVNLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"", "across_channels: true", "normalize_variance: false", "eps: 0.5",
                            "normalize_variance: false across_channels: true"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {RandomBlob<double>({2, 2, 3, 2})});
    CheckGradient(&run);
  }
}

TEST(MVNLayerErrors, NameWhatIsWrong) {
  ExpectError([] { LayerHarness<float>(LayerText(), {MakeBlob<float>({3})}); }, "two axes at least");
}

}  // namespace
}  // namespace rxnn::testing
