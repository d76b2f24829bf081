#include "caffe/layers/eltwise_layer.hpp"

#include <algorithm>

#include "tests/support/gradient_checker.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class EltwiseLayerTest : public LayerTest<Dtype> {};
TYPED_TEST_SUITE(EltwiseLayerTest, BothTypes);

std::string LayerText(const std::string& param) { return "type: 'Eltwise' eltwise_param { " + param + " }"; }

template <typename Dtype>
std::vector<BlobPtr<Dtype>> Bottoms() {
  return {DistinctBlob<Dtype>({2, 3, 5}, 0.05, 1), DistinctBlob<Dtype>({2, 3, 5}, 0.06, 2),
          DistinctBlob<Dtype>({2, 3, 5}, 0.07, 3)};
}

TYPED_TEST(EltwiseLayerTest, EqualsItsOperation) {
  const auto b = Bottoms<TypeParam>();
  const std::vector<std::pair<std::string, std::function<double(double, double, double)>>> cases = {
      {"", [](double x, double y, double z) { return x + y + z; }},
      {"coeff: 0.5 coeff: -1 coeff: 2", [](double x, double y, double z) { return 0.5 * x - y + 2 * z; }},
      {"operation: PROD", [](double x, double y, double z) { return x * y * z; }},
      {"operation: MAX", [](double x, double y, double z) {
         return std::max({x, y, z});
       }}};
  for (const auto& [param, function] : cases) {
    SCOPED_TRACE(param);
    LayerHarness<TypeParam> run(LayerText(param), b);
    run.Forward();
    for (int i = 0; i < run.out().count(); ++i) {
      ASSERT_NEAR(run.out().cpu_data()[i], function(b[0]->cpu_data()[i], b[1]->cpu_data()[i], b[2]->cpu_data()[i]),
                  tolerance::kFewRoundings<TypeParam>);
    }
  }
}

TEST(EltwiseLayerGradient, EqualsFiniteDifferences) {
  for (const char* param : {"", "coeff: 0.5 coeff: -1 coeff: 2", "operation: PROD",
                            "operation: PROD stable_prod_grad: false", "operation: MAX"}) {
    SCOPED_TRACE(param);
    LayerHarness<double> run(LayerText(param), Bottoms<double>());
    CheckGradient(&run);
    CheckGradient(&run, {2});
  }
}

TEST(EltwiseLayerGradient, ProductIsRightWhereAFactorIsZero) {
  LayerHarness<double> run(LayerText("operation: PROD"),
                           {MakeBlob<double>({2}, {0, 2}), MakeBlob<double>({2}, {3, 4})});
  CheckGradient(&run);
}

// As in Caffe: of the first two bottoms the second one, of others the earlier one.
TYPED_TEST(EltwiseLayerTest, GradientOfEqualMaximaGoesToOne) {
  LayerHarness<TypeParam> run(
      LayerText("operation: MAX"),
      {MakeBlob<TypeParam>({3}, {0, 5, 0}), MakeBlob<TypeParam>({3}, {0, 5, 1}), MakeBlob<TypeParam>({3}, {0, 4, 1})});
  run.Forward();
  caffe::caffe_set(3, TypeParam(1), run.out().mutable_cpu_diff());
  run.Backward();
  ExpectAllNear(Diff(run.in(0)), {0, 0, 0}, 0);
  ExpectAllNear(Diff(run.in(1)), {1, 1, 1}, 0);
  ExpectAllNear(Diff(run.in(2)), {0, 0, 0}, 0);
}

// Residual networks may write the sum over one of its terms.
TYPED_TEST(EltwiseLayerTest, SumsInPlace) {
  for (int place : {0, 1}) {
    LayerHarness<TypeParam> run(LayerText("coeff: 2 coeff: 1"),
                                {MakeBlob<TypeParam>({2}, {1, 2}), MakeBlob<TypeParam>({2}, {10, 20})});
    run.top[0] = run.bottom[place];
    run.Forward();
    ExpectAllNear(Data(run.in(place)), {12, 24}, 0);
  }
}

// As Caffe reads such files.
TYPED_TEST(EltwiseLayerTest, MaxDoesNotUseCoefficients) {
  LayerHarness<TypeParam> run(LayerText("operation: MAX coeff: 5 coeff: -1"),
                              {MakeBlob<TypeParam>({2}, {1, 4}), MakeBlob<TypeParam>({2}, {2, 3})});
  run.Forward();
  ExpectAllNear(Data(run.out()), {2, 4}, 0);
}

TEST(EltwiseLayerErrors, NameWhatIsWrong) {
  const auto make = [](const std::string& param, const std::vector<int>& second) {
    return [=] { LayerHarness<float>(LayerText(param), {MakeBlob<float>({2, 3}), MakeBlob<float>(second)}); };
  };
  ExpectError(make("", {3, 2}), "expected one shape for all");
  ExpectError(make("coeff: 1", {2, 3}), "1 coeffs for 2 bottoms");
  ExpectError(make("operation: PROD coeff: 1 coeff: 1", {2, 3}), "for SUM alone");
}

}  // namespace
}  // namespace rxnn::testing
