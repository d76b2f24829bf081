#include "caffe/layers/dropout_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class DropoutLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(DropoutLayerTest, BothTypes);

TYPED_TEST(DropoutLayerTest, PassesThroughInTestPhase) {
  LayerHarness<TypeParam> run("type: 'Dropout'", {RandomBlob<TypeParam>({3, 7})});
  run.Forward();
  ExpectAllNear(Data(run.out()), Data(run.in()), 0);
}

TYPED_TEST(DropoutLayerTest, DropsTheFractionAndScalesTheRest) {
  const int count = 40000;
  const double ratio = 0.25;
  auto ones = MakeBlob<TypeParam>({count}, std::vector<double>(count, 3));
  LayerHarness<TypeParam> run("type: 'Dropout' dropout_param { dropout_ratio: 0.25 }", {ones}, 1, caffe::TRAIN);
  caffe::Caffe::set_random_seed(1);
  run.Forward();
  int dropped = 0;
  for (int i = 0; i < count; ++i) {
    const TypeParam value = run.out().cpu_data()[i];
    dropped += value == 0;
    ASSERT_TRUE(value == 0 || value == TypeParam(4)) << value;
  }
  EXPECT_NEAR(dropped, count * ratio, 5 * std::sqrt(count * ratio * (1 - ratio)));
}

TYPED_TEST(DropoutLayerTest, RunsInPlace) {
  for (const caffe::Phase phase : {caffe::TRAIN, caffe::TEST}) {
    ExpectSameInPlace("type: 'Dropout'", *RandomBlob<TypeParam>({3, 37}), phase);
  }
}

TEST(DropoutLayerGradient, EqualsFiniteDifferences) {
  for (const caffe::Phase phase : {caffe::TRAIN, caffe::TEST}) {
    LayerHarness<double> run("type: 'Dropout' dropout_param { dropout_ratio: 0.4 }", {RandomBlob<double>({3, 11})}, 1,
                             phase);
    CheckGradient(&run);
  }
}

TEST(DropoutLayerErrors, NameTheRatio) {
  ExpectError([] { LayerHarness<float>("type: 'Dropout' dropout_param { dropout_ratio: 1 }", {MakeBlob<float>({2})}); },
              "dropout_ratio is 1, expected [0, 1)");
}

}  // namespace
}  // namespace rxnn::testing
