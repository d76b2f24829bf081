#include "caffe/layers/reshape_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

std::vector<int> Reshaped(const std::string& param) {
  LayerHarness<float> run("type: 'Reshape' reshape_param { " + param + " }", {RandomBlob<float>({2, 8})});
  run.Forward();
  ExpectAllNear(Data(run.out()), Data(run.in()), 0);
  return run.out().shape();
}

TEST(ReshapeLayer, GivesTheShape) {
  const std::vector<int> split = {2, 2, 4};
  EXPECT_EQ(Reshaped("shape { dim: 2 dim: 2 dim: 4 }"), split);
  EXPECT_EQ(Reshaped("shape { dim: 0 dim: 2 dim: 4 }"), split);
  EXPECT_EQ(Reshaped("shape { dim: 0 dim: -1 dim: 4 }"), split);
  EXPECT_EQ(Reshaped("shape { dim: 2 dim: -1 } axis: 1"), split);
  EXPECT_EQ(Reshaped("shape { dim: 2 dim: 4 } axis: -2"), split);
  EXPECT_EQ(Reshaped("shape { dim: -1 }"), std::vector<int>{16});
  EXPECT_EQ(Reshaped("shape { dim: 1 } axis: -1"), (std::vector<int>{2, 8, 1}));
  EXPECT_EQ(Reshaped("shape { dim: 1 } axis: 0 num_axes: 0"), (std::vector<int>{1, 2, 8}));
  EXPECT_EQ(Reshaped("shape { dim: 1 dim: 2 } axis: 0 num_axes: 1"), (std::vector<int>{1, 2, 8}));
}

TEST(ReshapeLayer, FollowsANewBottomShape) {
  LayerHarness<float> run("type: 'Reshape' reshape_param { shape { dim: 0 dim: -1 dim: 2 } }",
                          {RandomBlob<float>({2, 8})});
  run.in().Reshape({3, 6});
  run.Forward();
  EXPECT_EQ(run.out().shape(), (std::vector<int>{3, 3, 2}));
}

TEST(ReshapeLayer, GradientEqualsFiniteDifferences) {
  LayerHarness<double> run("type: 'Reshape' reshape_param { shape { dim: 3 dim: 4 } }",
                           {RandomBlob<double>({2, 3, 2})});
  CheckGradient(&run);
}

TEST(ReshapeLayer, ErrorsNameWhatIsWrong) {
  const auto make = [](const std::string& param) { return [=] { Reshaped(param); }; };
  ExpectError(make("shape { dim: 3 dim: 5 }"), "the number of values differs");
  ExpectError(make("shape { dim: 3 dim: -1 }"), "cannot be divided");
  ExpectError(make("shape { dim: -1 dim: -1 }"), "only one dimension may be -1");
  ExpectError(make("shape { dim: 16 dim: 1 dim: 0 }"), "no axis 2 to take it from");
  ExpectError(make("shape { dim: -2 }"), "dimension -2");
  ExpectError(make("shape { dim: 16 } axis: 3"), "axis 3 is outside");
  ExpectError(make("shape { dim: 16 } axis: 1 num_axes: 2"), "num_axes 2 from axis 1 on");
}

}  // namespace
}  // namespace rxnn::testing
