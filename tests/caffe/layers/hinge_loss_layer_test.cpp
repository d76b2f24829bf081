#include "caffe/layers/hinge_loss_layer.hpp"

#include <algorithm>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class HingeLossLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(HingeLossLayerTest, BothTypes);

std::string LayerText(const std::string& param = "") { return "type: 'HingeLoss' hinge_loss_param { " + param + " }"; }

TYPED_TEST(HingeLossLayerTest, SumsWhatIsMissingOfTheMargin) {
  const std::vector<BlobPtr<TypeParam>> bottoms = {MakeBlob<TypeParam>({2, 3}, {0.5, -2, 0.25, 3, -0.5, -4}),
                                                   MakeBlob<TypeParam>({2}, {0, 1})};
  // Missing: 0.5, 0, 1.25 and 4, 1.5, 0.
  LayerHarness<TypeParam> run(LayerText(), bottoms);
  EXPECT_EQ(run.Forward(), 7.25 / 2);
  LayerHarness<TypeParam> squared(LayerText("norm: L2"), bottoms);
  EXPECT_EQ(squared.Forward(), (0.25 + 1.5625 + 16 + 2.25) / 2);
}

// Scores step by 0.23 and so keep off 1 and -1, where a margin ends.
TEST(HingeLossLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"norm: L1", "norm: L2"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param) + " loss_weight: 2",
                             {DistinctBlob<double>({4, 5}, 0.23), MakeBlob<double>({4}, {0, 4, 2, 2})});
    CheckGradient(&run, {0});
  }
}

// Not even where another layer wrote into the bottom's gradient in the meantime.
TEST(HingeLossLayerGradient, DoesNotDependOnTheDiffBefore) {
  LayerHarness<double> run(LayerText(), {MakeBlob<double>({1, 2}, {0.5, 0.5}), MakeBlob<double>({1}, {0})});
  run.Forward();
  caffe::caffe_set(2, 99.0, run.in().mutable_cpu_diff());
  run.layer->Backward(run.top, {true, false}, run.bottom);
  ExpectAllNear(Diff(run.in()), {-1, 1}, 0);
}

TEST(HingeLossLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(LayerText(), {MakeBlob<float>({2, 3}), MakeBlob<float>({2}, {0, 3})});
  ExpectError([&] { run.Forward(); }, "label 3 is outside of [0, 3)");
  run.in(1).mutable_cpu_data()[1] = 2;
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient for its labels");
  LayerHarness<float> many(LayerText(), {MakeBlob<float>({2, 3}), MakeBlob<float>({2, 3})});
  ExpectError([&] { many.Forward(); }, "expected 2 labels");
}

}  // namespace
}  // namespace rxnn::testing
