#include "caffe/layers/silence_layer.hpp"

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

TEST(SilenceLayer, HasAZeroGradient) {
  LayerHarness<float> run("type: 'Silence'", {RandomBlob<float>({3}), RandomBlob<float>({2})}, 0);
  run.Forward();
  for (int i : {0, 1}) {
    run.in(i).mutable_cpu_diff()[0] = 5;
  }
  run.layer->Backward(run.top, {true, false}, run.bottom);
  EXPECT_EQ(run.in(0).cpu_diff()[0], 0);
  EXPECT_EQ(run.in(1).cpu_diff()[0], 5);
}

}  // namespace
}  // namespace rxnn::testing
