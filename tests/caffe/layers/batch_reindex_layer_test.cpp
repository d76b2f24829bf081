#include "caffe/layers/batch_reindex_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class BatchReindexLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(BatchReindexLayerTest, BothTypes);

const char kType[] = "type: 'BatchReindex'";

TYPED_TEST(BatchReindexLayerTest, PicksImages) {
  LayerHarness<TypeParam> run(
      kType, {MakeBlob<TypeParam>({3, 2, 1}, {1, 2, 3, 4, 5, 6}), MakeBlob<TypeParam>({5}, {2, 0, 0, 1, 2})});
  run.Forward();
  EXPECT_EQ(run.out().shape(), (std::vector<int>{5, 2, 1}));
  ExpectAllNear(Data(run.out()), {5, 6, 1, 2, 1, 2, 3, 4, 5, 6}, 0);
}

TYPED_TEST(BatchReindexLayerTest, PicksNone) {
  LayerHarness<TypeParam> run(kType, {MakeBlob<TypeParam>({3, 2}), MakeBlob<TypeParam>({0})});
  run.Forward();
  EXPECT_EQ(run.out().shape(), (std::vector<int>{0, 2}));
}

// Image 1 is not picked, image 0 twice.
TEST(BatchReindexLayerGradient, EqualsFiniteDifferences) {
  LayerHarness<double> run(kType, {RandomBlob<double>({4, 2, 3}), MakeBlob<double>({4}, {0, 3, 0, 2})});
  CheckGradient(&run, {0});
}

TEST(BatchReindexLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(kType, {MakeBlob<float>({2, 3}), MakeBlob<float>({2}, {0, 2})});
  ExpectError([&] { run.Forward(); }, "image number 2 is outside of [0, 2)");
  run.in(1).mutable_cpu_data()[1] = -1;
  ExpectError([&] { run.Forward(); }, "image number -1");
  run.in(1).mutable_cpu_data()[1] = 1;
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient by its numbers");
  EXPECT_FALSE(run.layer->AllowForceBackward(1));
  EXPECT_TRUE(run.layer->AllowForceBackward(0));
  ExpectError(
      [] {
        LayerHarness<float>(kType, {MakeBlob<float>({2, 3}), MakeBlob<float>({2, 1})});
      },
      "one axis of numbers");
}

}  // namespace
}  // namespace rxnn::testing
