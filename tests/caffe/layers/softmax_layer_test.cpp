#include "caffe/layers/softmax_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class SoftmaxLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(SoftmaxLayerTest, BothTypes);

TYPED_TEST(SoftmaxLayerTest, EqualsTheDefinition) {
  for (int axis = 0; axis < 3; ++axis) {
    LayerHarness<TypeParam> run("type: 'Softmax' softmax_param { axis: " + std::to_string(axis) + " }",
                                {RandomBlob<TypeParam>({3, 17, 5}, -5, 5)});
    run.Forward();
    const int classes = run.in().shape(axis), inner = run.in().count(axis + 1);
    for (int i = 0; i < run.in().count(); ++i) {
      const int first = i / (classes * inner) * classes * inner + i % inner;
      double sum = 0;
      for (int c = 0; c < classes; ++c) {
        sum += std::exp(static_cast<double>(run.in().cpu_data()[first + c * inner]));
      }
      ASSERT_NEAR(run.out().cpu_data()[i], std::exp(static_cast<double>(run.in().cpu_data()[i])) / sum,
                  tolerance::kFewRoundings<TypeParam>);
    }
  }
}

TYPED_TEST(SoftmaxLayerTest, DoesNotOverflow) {
  LayerHarness<TypeParam> run("type: 'Softmax'", {MakeBlob<TypeParam>({1, 3}, {1e4, 1e4, -1e4})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {0.5, 0.5, 0}, 0);
}

TYPED_TEST(SoftmaxLayerTest, RunsInPlace) { ExpectSameInPlace("type: 'Softmax'", *RandomBlob<TypeParam>({2, 9, 3})); }

TEST(SoftmaxLayerGradient, EqualsFiniteDifferences) {
  for (int axis = 0; axis < 3; ++axis) {
    LayerHarness<double> run("type: 'Softmax' softmax_param { axis: " + std::to_string(axis) + " }",
                             {RandomBlob<double>({2, 5, 3}, -2, 2)});
    CheckGradient(&run);
  }
}

}  // namespace
}  // namespace rxnn::testing
