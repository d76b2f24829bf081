#include "caffe/layers/flatten_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

std::vector<int> Flattened(const std::string& param) {
  LayerHarness<float> run("type: 'Flatten' flatten_param { " + param + " }", {RandomBlob<float>({2, 3, 4, 5})});
  run.Forward();
  ExpectAllNear(Data(run.out()), Data(run.in()), 0);
  return run.out().shape();
}

TEST(FlattenLayer, JoinsTheAxes) {
  EXPECT_EQ(Flattened(""), (std::vector<int>{2, 60}));
  EXPECT_EQ(Flattened("axis: 0 end_axis: 1"), (std::vector<int>{6, 4, 5}));
  EXPECT_EQ(Flattened("axis: 1 end_axis: -2"), (std::vector<int>{2, 12, 5}));
  EXPECT_EQ(Flattened("axis: 2 end_axis: 2"), (std::vector<int>{2, 3, 4, 5}));
}

TEST(FlattenLayer, GradientEqualsFiniteDifferences) {
  LayerHarness<double> run("type: 'Flatten'", {RandomBlob<double>({2, 3, 2})});
  CheckGradient(&run);
}

TEST(FlattenLayer, ErrorsNameTheAxes) {
  ExpectError([] { Flattened("axis: 2 end_axis: 1"); }, "axis 2 is behind end_axis 1");
}

}  // namespace
}  // namespace rxnn::testing
