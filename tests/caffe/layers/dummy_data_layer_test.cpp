#include "caffe/layers/dummy_data_layer.hpp"

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class DummyDataLayerTest : public ::testing::Test {};
TYPED_TEST_SUITE(DummyDataLayerTest, BothTypes);

std::string Text(const std::string& param) { return "type: 'DummyData' dummy_data_param { " + param + " }"; }

const char* const kShape = "shape { dim: 2 dim: 3 } ";
const char* const kGaussian = "data_filler { type: 'gaussian' std: 1 } ";

TYPED_TEST(DummyDataLayerTest, WithoutFillerIsZero) {
  LayerHarness<TypeParam> run(Text(kShape), {}, 2);
  run.Forward();
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(run.out(i).shape(), (std::vector<int>{2, 3}));
    ExpectAllNear(Data(run.out(i)), std::vector<double>(6, 0), 0);
  }
}

TYPED_TEST(DummyDataLayerTest, OneFillerIsForAllTops) {
  LayerHarness<TypeParam> run(
      Text("shape { dim: 2 } shape { dim: 1 dim: 3 } data_filler { type: 'constant' value: 7 }"), {}, 2);
  ExpectAllNear(Data(run.out(0)), {7, 7}, 0);
  ExpectAllNear(Data(run.out(1)), {7, 7, 7}, 0);
}

// Constants are filled once: what a user writes there stays. The rest is drawn at every Forward.
TYPED_TEST(DummyDataLayerTest, RefillsWhatIsRandom) {
  LayerHarness<TypeParam> run(Text(std::string(kShape) + "data_filler { value: 1 } " + kGaussian), {}, 2);
  run.out(0).mutable_cpu_data()[0] = 5;
  run.Forward();
  EXPECT_EQ(run.out(0).cpu_data()[0], 5);
  EXPECT_EQ(run.out(0).cpu_data()[1], 1);
  const auto first = Data(run.out(1));
  run.Forward();
  EXPECT_NE(Data(run.out(1)), first);
}

TYPED_TEST(DummyDataLayerTest, TakesTheOldFourNumbers) {
  LayerHarness<TypeParam> run(Text("num: 2 num: 3 channels: 4 height: 5 height: 6 width: 7"), {}, 2);
  EXPECT_EQ(run.out(0).shape(), (std::vector<int>{2, 4, 5, 7}));
  EXPECT_EQ(run.out(1).shape(), (std::vector<int>{3, 4, 6, 7}));
}

TYPED_TEST(DummyDataLayerTest, SaysWhatIsWrong) {
  const auto make = [](const std::string& param, int tops = 3) {
    return [=] { LayerHarness<TypeParam>(Text(param), {}, tops); };
  };
  ExpectError(make(""), "shape once or one for each of the 3 tops, got 0");
  ExpectError(make(std::string(kShape) + kShape), "got 2");
  ExpectError(make(std::string(kShape) + kGaussian + kGaussian),
              "data_filler, one, or one for each of the 3 tops, got 2");
  ExpectError(make(std::string(kShape) + "num: 1"), "both shape and num");
  ExpectError(make("num: 1 channels: 1 height: 1"), "width once");
  ExpectError(make("shape { dim: -1 }", 1), "dimension -1");
}

}  // namespace
}  // namespace rxnn::testing
