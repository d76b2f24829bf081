#include "caffe/layers/rnn_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"
#include "tests/support/recurrent_reference.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class RNNLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(RNNLayerTest, BothTypes);

constexpr int kOutputs = 3;

std::string LayerText(const std::string& param = "") {
  return "type: 'RNN' recurrent_param { num_output: 3 weight_filler { type: 'uniform' min: -0.5 max: 0.5 } "
         "bias_filler { type: 'uniform' min: -0.2 max: 0.2 } " +
         param + " }";
}

// The equations of the header for all steps; `h` is left as it is behind the last step.
template <typename Dtype>
std::vector<double> Reference(LayerHarness<Dtype>* run, bool has_static, std::vector<double>* h) {
  const int steps = run->in(0).shape(0), streams = run->in(0).shape(1), first = has_static ? 3 : 2;
  std::vector<double> out;
  for (int t = 0; t < steps; ++t) {
    for (int n = 0; n < streams; ++n) {
      std::vector<double> before(h->begin() + n * kOutputs, h->begin() + (n + 1) * kOutputs);
      for (double& value : before) value *= run->in(1).cpu_data()[t * streams + n];
      std::vector<double> a = Product(run->weights(0), Row(run->in(0), t * streams + n, 2));
      Add(Data(run->weights(1)), &a);
      if (has_static) Add(Product(run->weights(2), Row(run->in(2), n, 1)), &a);
      Add(Product(run->weights(first), before), &a);
      for (double& value : a) value = std::tanh(value);
      std::copy(a.begin(), a.end(), h->begin() + n * kOutputs);
      std::vector<double> o = Product(run->weights(first + 1), a);
      Add(Data(run->weights(first + 2)), &o);
      for (const double value : o) out.push_back(std::tanh(value));
    }
  }
  return out;
}

TYPED_TEST(RNNLayerTest, EqualsItsEquations) {
  for (const bool has_static : {false, true}) {
    const auto x = RandomBlob<TypeParam>({4, 2, 5}), fixed = RandomBlob<TypeParam>({2, 4}, -1, 1, 3);
    const auto cont = MakeBlob<TypeParam>({4, 2}, {0, 0, 1, 1, 1, 0, 1, 1});
    using Bottoms = std::vector<BlobPtr<TypeParam>>;
    const Bottoms bottoms = has_static ? Bottoms{x, cont, fixed} : Bottoms{x, cont};
    LayerHarness<TypeParam> run(LayerText(), bottoms);
    ASSERT_EQ(run.layer->blobs().size(), has_static ? 6u : 5u);
    EXPECT_EQ(run.weights(0).shape(), (std::vector<int>{3, 5}));
    std::vector<double> h(2 * kOutputs, 0);
    for (int batch = 0; batch < 2; ++batch) {
      run.Forward();
      ExpectAllNear(Data(run.out()), Reference(&run, has_static, &h), 8 * tolerance::kFewRoundings<TypeParam>);
      caffe::caffe_set(8, TypeParam(1), run.in(1).mutable_cpu_data());
    }
  }
}

TYPED_TEST(RNNLayerTest, StepByStepIsTheSame) { ExpectStepByStepIsTheSame<TypeParam>(LayerText()); }

TYPED_TEST(RNNLayerTest, ForgetsWhenReset) { ExpectForgetsWhenReset<TypeParam>(LayerText()); }

TYPED_TEST(RNNLayerTest, TakesAndGivesAnExposedState) {
  const auto h = RandomBlob<TypeParam>({1, 2, 3}, -1, 1, 4);
  LayerHarness<TypeParam> run(LayerText("expose_hidden: true"),
                              {RandomBlob<TypeParam>({2, 2, 5}), MakeBlob<TypeParam>({2, 2}, {1, 1, 1, 1}), h}, 2);
  std::vector<double> state = Data(*h);
  run.Forward();
  ExpectAllNear(Data(run.out()), Reference(&run, false, &state), 8 * tolerance::kFewRoundings<TypeParam>);
  ExpectAllNear(Data(run.out(1)), state, 8 * tolerance::kFewRoundings<TypeParam>);
}

TEST(RNNLayerGradient, EqualsFiniteDifferences) {
  const auto x = RandomBlob<double>({3, 2, 4}), fixed = RandomBlob<double>({2, 3}, -1, 1, 6);
  const auto cont = MakeBlob<double>({3, 2}, {0, 0, 1, 0, 1, 1});
  LayerHarness<double> run(LayerText(), {x, cont});
  CheckGradient(&run, {0});
  LayerHarness<double> with_static(LayerText(), {x, cont, fixed});
  CheckGradient(&with_static, {0, 2});
  LayerHarness<double> exposed(
      LayerText("expose_hidden: true"),
      {x, MakeBlob<double>({3, 2}, {1, 1, 1, 0, 1, 1}), RandomBlob<double>({1, 2, 3}, -1, 1, 4)}, 2);
  CheckGradient(&exposed, {0, 2});
}

TEST(RNNLayerParameters, ComeFromTheModel) { ExpectParametersComeFromTheModel(LayerText()); }

TEST(RNNLayerParameters, AreSharedWithATestNet) { ExpectParametersAreSharedWithATestNet(LayerText()); }

TEST(RNNLayerErrors, NameWhatIsWrong) { ExpectRecurrentErrors("RNN"); }

}  // namespace
}  // namespace rxnn::testing
