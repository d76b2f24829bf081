#include "caffe/layers/parameter_layer.hpp"

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class ParameterLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(ParameterLayerTest, BothTypes);

const char kText[] = "type: 'Parameter' parameter_param { shape { dim: 2 dim: 3 } }";

TYPED_TEST(ParameterLayerTest, TopIsTheParameter) {
  LayerHarness<TypeParam> run(kText, {});
  ASSERT_EQ(run.weights().shape(), (std::vector<int>{2, 3}));
  run.Forward();
  ExpectAllNear(Data(run.out()), std::vector<double>(6, 0), 0);
  run.RandomizeWeights();
  run.Forward();
  ExpectAllNear(Data(run.out()), Data(run.weights()), 0);
  // A parameter that came to share the memory of another.
  const auto owner = RandomBlob<TypeParam>({2, 3}, 5, 6);
  run.weights().ShareData(*owner);
  run.Forward();
  ExpectAllNear(Data(run.out()), Data(*owner), 0);
}

TEST(ParameterLayerGradient, AddsUpOverBatches) {
  LayerHarness<double> run(kText, {});
  CheckGradient(&run);
}

// Learned by the net it stands in.
TEST(ParameterLayerInNet, GetsItsGradient) {
  caffe::NetParameter param;
  ASSERT_TRUE(google::protobuf::TextFormat::ParseFromString(
      std::string("layer { name: 'p' top: 'p' ") + kText + " }" +
          "layer { name: 'loss' type: 'Reduction' bottom: 'p' top: 'loss' loss_weight: 2 "
          "        reduction_param { operation: SUMSQ } }",
      &param));
  caffe::Net<double> net(param);
  net.params()[0]->CopyFrom(*MakeBlob<double>({2, 3}, {1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(net.ForwardBackward(), 2 * 91);
  ExpectAllNear(Diff(*net.params()[0]), {4, 8, 12, 16, 20, 24}, 0);
}

}  // namespace
}  // namespace rxnn::testing
