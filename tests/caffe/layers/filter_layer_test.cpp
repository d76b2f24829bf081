#include "caffe/layers/filter_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class FilterLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(FilterLayerTest, BothTypes);

const char kType[] = "type: 'Filter'";

template <typename Dtype>
std::vector<BlobPtr<Dtype>> Bottoms(const std::vector<double>& selector) {
  return {MakeBlob<Dtype>({4, 2}, {1, 2, 3, 4, 5, 6, 7, 8}), MakeBlob<Dtype>({4}, {10, 20, 30, 40}),
          MakeBlob<Dtype>({4, 1, 1}, selector)};
}

TYPED_TEST(FilterLayerTest, PassesOnWhatIsSelected) {
  LayerHarness<TypeParam> run(kType, Bottoms<TypeParam>({0, 1, 0, -2}), 2);
  // The values of the selector are not known at set-up.
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{4, 2}));
  run.Forward();
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{2, 2}));
  ExpectAllNear(Data(run.out(0)), {3, 4, 7, 8}, 0);
  EXPECT_EQ(run.out(1).shape(), std::vector<int>{2});
  ExpectAllNear(Data(run.out(1)), {20, 40}, 0);
  // The next batch selects others.
  run.in(2).CopyFrom(*MakeBlob<TypeParam>({4, 1, 1}, {1, 1, 1, 0}));
  run.Forward();
  ExpectAllNear(Data(run.out(1)), {10, 20, 30}, 0);
}

TYPED_TEST(FilterLayerTest, MayPassOnNothing) {
  LayerHarness<TypeParam> run(kType, Bottoms<TypeParam>({0, 0, 0, 0}), 2);
  run.Forward();
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{0, 2}));
  run.layer->Backward(run.top, {true, true, false}, run.bottom);
  ExpectAllNear(Diff(run.in(0)), std::vector<double>(8, 0), 0);
}

TEST(FilterLayerGradient, EqualsFiniteDifferences) {
  LayerHarness<double> run(kType, Bottoms<double>({1, 0, 1, 1}), 2);
  CheckGradient(&run, {0, 1});
}

TEST(FilterLayerErrors, NameWhatIsWrong) {
  LayerHarness<float> run(kType, Bottoms<float>({1, 0, 1, 1}), 2);
  run.Forward();
  ExpectError([&] { run.Backward(); }, "no gradient by its selector");
  ExpectError([] { LayerHarness<float>(kType, Bottoms<float>({1, 1, 1, 1}), 1); }, "one top for each bottom");
  ExpectError(
      [] {
        LayerHarness<float>(kType, {MakeBlob<float>({4, 2}), MakeBlob<float>({2, 2})});
      },
      "one value for each image");
  ExpectError(
      [] {
        LayerHarness<float>(kType, {MakeBlob<float>({4, 2}), MakeBlob<float>({3})});
      },
      "the selector is for 3 images");
}

}  // namespace
}  // namespace rxnn::testing
