#include "caffe/layers/tile_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class TileLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(TileLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Tile' tile_param { " + param + " }"; }

TYPED_TEST(TileLayerTest, RepeatsTheAxis) {
  const std::vector<double> x = {1, 2, 3, 4, 5, 6};  // (1, 2, 3)
  const std::vector<std::pair<std::string, std::vector<double>>> cases = {
      {"tiles: 1", x},
      {"axis: 0 tiles: 2", {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
      {"tiles: 2", {1, 2, 3, 4, 5, 6, 1, 2, 3, 4, 5, 6}},
      {"axis: -1 tiles: 2", {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}}};
  for (const auto& [param, expected] : cases) {
    SCOPED_TRACE(param);
    LayerHarness<TypeParam> run(LayerText(param), {MakeBlob<TypeParam>({1, 2, 3}, x)});
    run.Forward();
    ExpectAllNear(Data(run.out()), expected, 0);
  }
  LayerHarness<TypeParam> run(LayerText("axis: 1 tiles: 4"), {MakeBlob<TypeParam>({2, 3, 5})});
  EXPECT_EQ(run.out().shape(), (std::vector<int>{2, 12, 5}));
}

TEST(TileLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"tiles: 1", "axis: 0 tiles: 3", "axis: 1 tiles: 2", "axis: 2 tiles: 4"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), {RandomBlob<double>({2, 3, 2})});
    CheckGradient(&run);
  }
}

TEST(TileLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>({2, 3})}); };
  };
  ExpectError(make(""), "needs tiles");
  ExpectError(make("tiles: 0"), "tiles is 0");
  ExpectError(make("tiles: -1"), "tiles is -1");
  ExpectError(make("tiles: 2147483647"), "too many");
  ExpectError(make("tiles: 2 axis: 2"), "axis 2");
}

}  // namespace
}  // namespace rxnn::testing
