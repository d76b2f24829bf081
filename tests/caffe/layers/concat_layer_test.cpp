#include "caffe/layers/concat_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ConcatLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ConcatLayerTest, BothTypes);

TYPED_TEST(ConcatLayerTest, JoinsAlongEachAxis) {
  const auto left = MakeBlob<TypeParam>({2, 2}, {1, 2, 3, 4}), right = MakeBlob<TypeParam>({2, 2}, {5, 6, 7, 8});
  LayerHarness<TypeParam> columns("type: 'Concat'", {left, right}),
      rows("type: 'Concat' concat_param { axis: 0 }", {left, right});
  columns.Forward();
  rows.Forward();
  EXPECT_EQ(columns.out().shape(), (std::vector<int>{2, 4}));
  ExpectAllNear(Data(columns.out()), {1, 2, 5, 6, 3, 4, 7, 8}, 0);
  EXPECT_EQ(rows.out().shape(), (std::vector<int>{4, 2}));
  ExpectAllNear(Data(rows.out()), {1, 2, 3, 4, 5, 6, 7, 8}, 0);
}

TYPED_TEST(ConcatLayerTest, PassesOneBottomOn) {
  LayerHarness<TypeParam> run("type: 'Concat'", {RandomBlob<TypeParam>({2, 3})});
  run.Forward();
  EXPECT_EQ(run.out().cpu_data(), run.in().cpu_data());
}

TEST(ConcatLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"axis: 1", "axis: -2", "concat_dim: 1"}) {
    LayerHarness<double> run(
        std::string("type: 'Concat' concat_param { ") + param + " }",
        {RandomBlob<double>({2, 3, 4}), RandomBlob<double>({2, 1, 4}), RandomBlob<double>({2, 2, 4})});
    CheckGradient(&run);
    CheckGradient(&run, {1});
  }
}

TEST(ConcatLayerErrors, NameTheShapes) {
  ExpectError(
      [] {
        LayerHarness<float>("type: 'Concat'", {MakeBlob<float>({2, 3, 4}), MakeBlob<float>({2, 3, 5})});
      },
      "differ outside of axis 1");
  ExpectError(
      [] {
        LayerHarness<float>("type: 'Concat'", {MakeBlob<float>({2, 3, 4}), MakeBlob<float>({2, 3})});
      },
      "differ in their number of axes");
}

}  // namespace
}  // namespace rxnn::testing
