#include "caffe/layers/argmax_layer.hpp"

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ArgMaxLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ArgMaxLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'ArgMax' argmax_param { " + param + " }"; }

template <typename Dtype>
void ExpectArgMax(const std::string& param, const std::vector<int>& shape, const std::vector<double>& values) {
  SCOPED_TRACE(param);
  LayerHarness<Dtype> run(LayerText(param), {MakeBlob<Dtype>({2, 2, 2}, {3, 1, 4, 2, 5, 9, 2, 6})});
  run.Forward();
  EXPECT_EQ(run.out().shape(), shape);
  ExpectAllNear(Data(run.out()), values, 0);
}

TYPED_TEST(ArgMaxLayerTest, RanksTheValuesOfEachImage) {
  ExpectArgMax<TypeParam>("", {2, 1, 1}, {2, 1});
  ExpectArgMax<TypeParam>("top_k: 3", {2, 1, 3}, {2, 0, 3, 1, 3, 0});
  ExpectArgMax<TypeParam>("top_k: 2 out_max_val: true", {2, 2, 2}, {2, 0, 4, 3, 1, 3, 9, 6});
}

TYPED_TEST(ArgMaxLayerTest, RanksAlongAnAxis) {
  ExpectArgMax<TypeParam>("axis: 1", {2, 1, 2}, {1, 1, 0, 0});
  ExpectArgMax<TypeParam>("axis: -1", {2, 2, 1}, {0, 0, 1, 1});
  ExpectArgMax<TypeParam>("axis: 0 out_max_val: true", {1, 2, 2}, {5, 9, 4, 6});
  ExpectArgMax<TypeParam>("axis: 1 top_k: 2", {2, 2, 2}, {1, 1, 0, 0, 0, 0, 1, 1});
}

TYPED_TEST(ArgMaxLayerTest, PrefersTheLaterOfEqualValues) {
  LayerHarness<TypeParam> run(LayerText(""), {MakeBlob<TypeParam>({1, 3}, {7, 7, 0})});
  run.Forward();
  EXPECT_EQ(run.out().cpu_data()[0], 1);
}

TEST(ArgMaxLayerErrors, NameWhatIsWrong) {
  ExpectError([] { LayerHarness<float>(LayerText("top_k: 4"), {MakeBlob<float>({2, 3})}); }, "top_k 4 of 3 values");
  ExpectError([] { LayerHarness<float>(LayerText("top_k: 0"), {MakeBlob<float>({2, 3})}); }, "at least 1");
  LayerHarness<float> run(LayerText(""), {MakeBlob<float>({2, 3})});
  ExpectError([&] { run.Backward(); }, "no gradient");
}

}  // namespace
}  // namespace rxnn::testing
