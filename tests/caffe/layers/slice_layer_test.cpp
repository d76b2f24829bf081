#include "caffe/layers/slice_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class SliceLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(SliceLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Slice' slice_param { " + param + " }"; }

TYPED_TEST(SliceLayerTest, CutsAtThePoints) {
  LayerHarness<TypeParam> run(LayerText("slice_point: 1 slice_point: 3"),
                              {MakeBlob<TypeParam>({2, 4}, {1, 2, 3, 4, 5, 6, 7, 8})}, 3);
  run.Forward();
  ExpectAllNear(Data(run.out(0)), {1, 5}, 0);
  ExpectAllNear(Data(run.out(1)), {2, 3, 6, 7}, 0);
  ExpectAllNear(Data(run.out(2)), {4, 8}, 0);
}

// Concat puts together what Slice took apart.
TYPED_TEST(SliceLayerTest, IsUndoneByConcat) {
  for (const char* axis : {"0", "1", "-1"}) {
    LayerHarness<TypeParam> slice(LayerText(std::string("axis: ") + axis), {RandomBlob<TypeParam>({6, 4, 2})}, 2);
    slice.Forward();
    LayerHarness<TypeParam> concat(std::string("type: 'Concat' concat_param { axis: ") + axis + " }", slice.top_blobs);
    concat.Forward();
    EXPECT_EQ(concat.out().shape(), slice.in().shape());
    ExpectAllNear(Data(concat.out()), Data(slice.in()), 0);
  }
}

TEST(SliceLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"", "slice_point: 3", "slice_dim: 0", "axis: 2 slice_point: 1"}) {
    LayerHarness<double> run(LayerText(param), {RandomBlob<double>({2, 4, 3})}, 2);
    CheckGradient(&run);
  }
  LayerHarness<double> one(LayerText(""), {RandomBlob<double>({2, 4, 3})}, 1);
  CheckGradient(&one);
}

TEST(SliceLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param, int tops) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>({2, 4})}, tops); };
  };
  ExpectError(make("", 3), "cannot be cut into 3 equal parts");
  ExpectError(make("slice_point: 1", 3), "1 slice points for 3 tops");
  ExpectError(make("slice_point: 3 slice_point: 2", 3), "must increase");
  ExpectError(make("slice_point: 4", 2), "must increase");
}

}  // namespace
}  // namespace rxnn::testing
