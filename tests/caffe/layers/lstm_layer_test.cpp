#include "caffe/layers/lstm_layer.hpp"

#include <cmath>

#include "tests/support/gradient_checker.hpp"
#include "tests/support/recurrent_reference.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class LSTMLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(LSTMLayerTest, BothTypes);

constexpr int kOutputs = 3;

std::string LayerText(const std::string& param = "") {
  return "type: 'LSTM' recurrent_param { num_output: 3 weight_filler { type: 'uniform' min: -0.5 max: 0.5 } "
         "bias_filler { type: 'uniform' min: -0.2 max: 0.2 } " +
         param + " }";
}

double Sigmoid(double x) { return 1 / (1 + std::exp(-x)); }

// The equations of the header for all steps; `state` holds h, then c, and is left as it is behind the last step.
template <typename Dtype>
std::vector<double> Reference(LayerHarness<Dtype>* run, bool has_static, std::vector<std::vector<double>>* state) {
  const int steps = run->in(0).shape(0), streams = run->in(0).shape(1);
  std::vector<double>& h = (*state)[0];
  std::vector<double>& c = (*state)[1];
  std::vector<double> out;
  for (int t = 0; t < steps; ++t) {
    for (int n = 0; n < streams; ++n) {
      const double cont = run->in(1).cpu_data()[t * streams + n];
      std::vector<double> before(h.begin() + n * kOutputs, h.begin() + (n + 1) * kOutputs);
      for (double& value : before) value *= cont;
      std::vector<double> a = Product(run->weights(0), Row(run->in(0), t * streams + n, 2));
      Add(Data(run->weights(1)), &a);
      if (has_static) Add(Product(run->weights(2), Row(run->in(2), n, 1)), &a);
      Add(Product(run->weights(has_static ? 3 : 2), before), &a);
      for (int d = 0; d < kOutputs; ++d) {
        double& cell = c[n * kOutputs + d];
        cell = cont * Sigmoid(a[kOutputs + d]) * cell + Sigmoid(a[d]) * std::tanh(a[3 * kOutputs + d]);
        h[n * kOutputs + d] = Sigmoid(a[2 * kOutputs + d]) * std::tanh(cell);
      }
    }
    out.insert(out.end(), h.begin(), h.end());
  }
  return out;
}

template <typename Dtype>
BlobPtr<Dtype> Cont() {
  return MakeBlob<Dtype>({4, 2}, {0, 0, 1, 1, 1, 0, 1, 1});
}

TYPED_TEST(LSTMLayerTest, EqualsItsEquations) {
  for (const bool has_static : {false, true}) {
    const auto x = RandomBlob<TypeParam>({4, 2, 5}), fixed = RandomBlob<TypeParam>({2, 2, 2}, -1, 1, 3);
    using Bottoms = std::vector<BlobPtr<TypeParam>>;
    const Bottoms bottoms = has_static ? Bottoms{x, Cont<TypeParam>(), fixed} : Bottoms{x, Cont<TypeParam>()};
    LayerHarness<TypeParam> run(LayerText(), bottoms);
    ASSERT_EQ(run.layer->blobs().size(), has_static ? 4u : 3u);
    EXPECT_EQ(run.weights(0).shape(), (std::vector<int>{12, 5}));
    EXPECT_EQ(run.weights(1).shape(), std::vector<int>{12});
    EXPECT_EQ(run.weights(has_static ? 3 : 2).shape(), (std::vector<int>{12, 3}));
    std::vector<std::vector<double>> state(2, std::vector<double>(2 * kOutputs, 0));
    run.Forward();
    EXPECT_EQ(run.out().shape(), (std::vector<int>{4, 2, 3}));
    ExpectAllNear(Data(run.out()), Reference(&run, has_static, &state), 8 * tolerance::kFewRoundings<TypeParam>);
    // The next batch goes on from there.
    caffe::caffe_set(8, TypeParam(1), run.in(1).mutable_cpu_data());
    run.Forward();
    ExpectAllNear(Data(run.out()), Reference(&run, has_static, &state), 8 * tolerance::kFewRoundings<TypeParam>);
  }
}

TYPED_TEST(LSTMLayerTest, StepByStepIsTheSame) { ExpectStepByStepIsTheSame<TypeParam>(LayerText()); }

TYPED_TEST(LSTMLayerTest, ForgetsWhenReset) { ExpectForgetsWhenReset<TypeParam>(LayerText()); }

TYPED_TEST(LSTMLayerTest, TakesAndGivesAnExposedState) {
  const auto x = RandomBlob<TypeParam>({4, 2, 5});
  const auto h = RandomBlob<TypeParam>({1, 2, 3}, -1, 1, 4), c = RandomBlob<TypeParam>({1, 2, 3}, -1, 1, 5);
  auto cont = Cont<TypeParam>();
  cont->mutable_cpu_data()[0] = 1;
  LayerHarness<TypeParam> run(LayerText("expose_hidden: true"), {x, cont, h, c}, 3);
  std::vector<std::vector<double>> state = {Data(*h), Data(*c)};
  run.Forward();
  const std::vector<double> expected = Reference(&run, false, &state);
  ExpectAllNear(Data(run.out()), expected, 8 * tolerance::kFewRoundings<TypeParam>);
  EXPECT_EQ(run.out(1).shape(), (std::vector<int>{1, 2, 3}));
  ExpectAllNear(Data(run.out(1)), state[0], 8 * tolerance::kFewRoundings<TypeParam>);
  ExpectAllNear(Data(run.out(2)), state[1], 8 * tolerance::kFewRoundings<TypeParam>);
  // Nothing is kept: the same bottoms give the same tops.
  run.Forward();
  ExpectAllNear(Data(run.out()), expected, 8 * tolerance::kFewRoundings<TypeParam>);
}

TEST(LSTMLayerGradient, EqualsFiniteDifferences) {
  const auto x = RandomBlob<double>({3, 2, 4}), fixed = RandomBlob<double>({2, 3}, -1, 1, 6);
  const auto cont = MakeBlob<double>({3, 2}, {0, 0, 1, 0, 1, 1});
  LayerHarness<double> run(LayerText(), {x, cont});
  CheckGradient(&run, {0});
  LayerHarness<double> with_static(LayerText(), {x, cont, fixed});
  CheckGradient(&with_static, {0, 2});
  LayerHarness<double> one_step(LayerText(), {RandomBlob<double>({1, 3, 2, 2}), MakeBlob<double>({1, 3})});
  CheckGradient(&one_step, {0});
}

// Through the state from outside into the state behind the last step.
TEST(LSTMLayerGradient, FlowsThroughAnExposedState) {
  const auto h = RandomBlob<double>({1, 2, 3}, -1, 1, 4), c = RandomBlob<double>({1, 2, 3}, -1, 1, 5);
  for (const int steps : {1, 3}) {
    LayerHarness<double> run(
        LayerText("expose_hidden: true"),
        {RandomBlob<double>({steps, 2, 4}), MakeBlob<double>({steps, 2}, std::vector<double>(2 * steps, 1)),
         RandomBlob<double>({2, 3}, -1, 1, 6), h, c},
        3);
    CheckGradient(&run, {0, 2, 3, 4});
  }
}

TEST(LSTMLayerParameters, ComeFromTheModel) { ExpectParametersComeFromTheModel(LayerText()); }

TEST(LSTMLayerParameters, AreSharedWithATestNet) { ExpectParametersAreSharedWithATestNet(LayerText()); }

TEST(LSTMLayerErrors, NameWhatIsWrong) { ExpectRecurrentErrors("LSTM"); }

template <typename Dtype>
class LSTMUnitLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(LSTMUnitLayerTest, BothTypes);

TYPED_TEST(LSTMUnitLayerTest, IsOneStepOfTheCells) {
  const double inf = std::numeric_limits<double>::infinity();
  LayerHarness<TypeParam> run(
      "type: 'LSTMUnit'",
      {MakeBlob<TypeParam>({1, 2, 1}, {0.5, -inf}), MakeBlob<TypeParam>({1, 2, 4}, {0.1, -0.2, 0.3, 0.4, -1, 2, -3, 4}),
       MakeBlob<TypeParam>({1, 2}, {1, 0})},
      2);
  run.Forward();
  const std::vector<double> c = {Sigmoid(-0.2) * 0.5 + Sigmoid(0.1) * std::tanh(0.4), Sigmoid(-1) * std::tanh(4)};
  ExpectAllNear(Data(run.out(0)), c, tolerance::kFewRoundings<TypeParam>);
  ExpectAllNear(Data(run.out(1)), {Sigmoid(0.3) * std::tanh(c[0]), Sigmoid(-3) * std::tanh(c[1])},
                tolerance::kFewRoundings<TypeParam>);
}

TEST(LSTMUnitLayerGradient, EqualsFiniteDifferences) {
  LayerHarness<double> run(
      "type: 'LSTMUnit'",
      {RandomBlob<double>({1, 3, 2}), RandomBlob<double>({1, 3, 8}, -2, 2, 2), MakeBlob<double>({1, 3}, {1, 0, 0.5})},
      2);
  CheckGradient(&run, {0, 1});
  CheckGradient(&run, {1});
}

TEST(LSTMUnitLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::vector<int>& gates, const std::vector<int>& cont) {
    return [=] {
      LayerHarness<float>("type: 'LSTMUnit'",
                          {MakeBlob<float>({1, 3, 2}), MakeBlob<float>(gates), MakeBlob<float>(cont)}, 2);
    };
  };
  ExpectError(make({1, 3, 6}, {1, 3}), "expected 1x3x8");
  ExpectError(make({1, 3, 8}, {3}), "expected 1x3");
  LayerHarness<float> run("type: 'LSTMUnit'",
                          {MakeBlob<float>({1, 1, 1}), MakeBlob<float>({1, 1, 4}), MakeBlob<float>({1, 1})}, 2);
  ExpectError([&] { run.Backward(); }, "no gradient by its continuation");
}

}  // namespace
}  // namespace rxnn::testing
