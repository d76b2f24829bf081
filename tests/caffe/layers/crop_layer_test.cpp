#include "caffe/layers/crop_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class CropLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(CropLayerTest, BothTypes);

std::string LayerText(const std::string& param = "") { return "type: 'Crop' crop_param { " + param + " }"; }

// top[n, c, h, w] = x[n + o0, c + o1, h + o2, w + o3].
template <typename Dtype>
void ExpectCut(const std::string& param, const std::vector<int>& reference, const std::vector<int>& shape,
               const std::vector<int>& o) {
  SCOPED_TRACE(param);
  LayerHarness<Dtype> run(LayerText(param), {DistinctBlob<Dtype>({3, 4, 5, 6}), MakeBlob<Dtype>(reference)});
  run.Forward();
  ASSERT_EQ(run.out().shape(), shape);
  for (int n = 0; n < shape[0]; ++n) {
    for (int c = 0; c < shape[1]; ++c) {
      for (int h = 0; h < shape[2]; ++h) {
        for (int w = 0; w < shape[3]; ++w) {
          ASSERT_EQ(run.out().data_at(n, c, h, w), run.in().data_at(n + o[0], c + o[1], h + o[2], w + o[3]));
        }
      }
    }
  }
}

TYPED_TEST(CropLayerTest, CutsFromTheOffset) {
  const std::vector<int> reference = {2, 2, 3, 4};
  ExpectCut<TypeParam>("", reference, {3, 4, 3, 4}, {0, 0, 0, 0});
  ExpectCut<TypeParam>("offset: 2", reference, {3, 4, 3, 4}, {0, 0, 2, 2});
  ExpectCut<TypeParam>("offset: 1 offset: 2", reference, {3, 4, 3, 4}, {0, 0, 1, 2});
  ExpectCut<TypeParam>("axis: -1 offset: 1", reference, {3, 4, 5, 4}, {0, 0, 0, 1});
  ExpectCut<TypeParam>("axis: 1 offset: 2 offset: 0 offset: 1", reference, {3, 2, 3, 4}, {0, 2, 0, 1});
  ExpectCut<TypeParam>("axis: 0 offset: 1", reference, {2, 2, 3, 4}, {1, 1, 1, 1});
  ExpectCut<TypeParam>("axis: 0", {3, 4, 5, 6}, {3, 4, 5, 6}, {0, 0, 0, 0});
}

TEST(CropLayerGradient, EqualsFiniteDifferences) {
  LayerHarness<double> run(LayerText("axis: 1 offset: 1 offset: 0 offset: 2"),
                           {RandomBlob<double>({2, 3, 2, 4}), RandomBlob<double>({1, 2, 2, 2})});
  CheckGradient(&run);
  LayerHarness<double> five_axes(LayerText("offset: 1"),
                                 {RandomBlob<double>({1, 2, 3, 2, 3}), RandomBlob<double>({1, 1, 2, 1, 2})});
  CheckGradient(&five_axes);
}

TEST(CropLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param, const std::vector<int>& reference) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>({1, 2, 5, 6}), MakeBlob<float>(reference)}); };
  };
  ExpectError(make("", {1, 2, 6, 6}), "cannot cut 6 from 0 on out of axis 2");
  ExpectError(make("offset: 0 offset: 3", {1, 2, 5, 4}), "cannot cut 4 from 3 on out of axis 3");
  ExpectError(make("offset: 4294967295", {1, 2, 5, 4}), "out of axis 2");
  ExpectError(make("offset: 1 offset: 1 offset: 1", {1, 2, 3, 4}), "3 offsets");
  ExpectError(make("", {2, 5, 6}), "differ in their number of axes");
  ExpectError(make("axis: 4", {1, 2, 5, 6}), "axis 4");
}

}  // namespace
}  // namespace rxnn::testing
