// First values: their range, their law, and that they repeat under a seed.
#include "caffe/filler.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class FillerTest : public ::testing::Test {
 protected:
  static std::vector<double> Fill(const std::string& text, const std::vector<int>& shape) {
    caffe::FillerParameter param;
    if (!google::protobuf::TextFormat::ParseFromString(text, &param)) throw std::invalid_argument(text);
    caffe::Caffe::set_random_seed(1701);
    const std::unique_ptr<caffe::Filler<Dtype>> filler(caffe::GetFiller<Dtype>(param));
    caffe::Blob<Dtype> blob(shape);
    filler->Fill(&blob);
    return Data(blob);
  }
  static double Mean(const std::vector<double>& values) {
    return std::accumulate(values.begin(), values.end(), 0.0) / values.size();
  }
  static double Deviation(const std::vector<double>& values) {
    const double mean = Mean(values);
    double sum = 0;
    for (const double value : values) sum += (value - mean) * (value - mean);
    return std::sqrt(sum / values.size());
  }
  // Largest difference between the values' distribution and a law.
  static double Distance(std::vector<double> values, const std::function<double(double)>& law) {
    std::sort(values.begin(), values.end());
    double worst = 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const double n = static_cast<double>(values.size());
      worst = std::max({worst, std::abs(law(values[i]) - i / n), std::abs(law(values[i]) - (i + 1) / n)});
    }
    return worst;
  }
  static double Normal(double x, double mean, double deviation) {
    return 0.5 * std::erfc(-(x - mean) / deviation / std::sqrt(2.0));
  }
};
TYPED_TEST_SUITE(FillerTest, BothTypes);

// 100 outputs of 30 inputs with kernels of 2 x 3: fan-in 180, fan-out 600.
const std::vector<int> kWeights = {100, 30, 2, 3};
constexpr int kCount = 18000;

TYPED_TEST(FillerTest, Constant) {
  EXPECT_EQ(this->Fill("value: 2.5", {2, 3}), std::vector<double>(6, 2.5));
  EXPECT_EQ(this->Fill("", {2, 3}), std::vector<double>(6, 0));
}

TYPED_TEST(FillerTest, Uniform) {
  const auto values = this->Fill("type: 'uniform' min: 1 max: 3", kWeights);
  EXPECT_LT(this->Distance(values, [](double x) { return (x - 1) / 2; }), tolerance::KolmogorovSmirnov(kCount));
}

TYPED_TEST(FillerTest, Gaussian) {
  const auto values = this->Fill("type: 'gaussian' mean: 1 std: 0.2", kWeights);
  EXPECT_LT(this->Distance(values, [&](double x) { return this->Normal(x, 1, 0.2); }),
            tolerance::KolmogorovSmirnov(kCount));
}

TYPED_TEST(FillerTest, SparseGaussian) {
  const auto values = this->Fill("type: 'gaussian' std: 1 sparse: 5", kWeights);
  const double share = 1 - static_cast<double>(std::count(values.begin(), values.end(), 0)) / kCount;
  EXPECT_NEAR(share, 5.0 / 100, tolerance::Correlation(kCount) * std::sqrt(0.05 * 0.95));
}

TYPED_TEST(FillerTest, PositiveUnitball) {
  const auto values = this->Fill("type: 'positive_unitball'", kWeights);
  for (int row = 0; row < 100; ++row) {
    const auto begin = values.begin() + 180 * row;
    EXPECT_GE(*std::min_element(begin, begin + 180), 0);
    EXPECT_NEAR(std::accumulate(begin, begin + 180, 0.0), 1, SumTolerance<TypeParam>(180, 1));
  }
}

TYPED_TEST(FillerTest, Xavier) {
  for (const auto& [norm, n] : std::map<std::string, double>{{"FAN_IN", 180}, {"FAN_OUT", 600}, {"AVERAGE", 390}}) {
    SCOPED_TRACE(norm);
    const double bound = std::sqrt(3 / n);
    const auto values = this->Fill("type: 'xavier' variance_norm: " + norm, kWeights);
    EXPECT_LT(this->Distance(values, [=](double x) { return (x + bound) / (2 * bound); }),
              tolerance::KolmogorovSmirnov(kCount));
  }
}

TYPED_TEST(FillerTest, Msra) {
  for (const auto& [norm, n] : std::map<std::string, double>{{"FAN_IN", 180}, {"FAN_OUT", 600}, {"AVERAGE", 390}}) {
    SCOPED_TRACE(norm);
    const double deviation = std::sqrt(2 / n);
    const auto values = this->Fill("type: 'msra' variance_norm: " + norm, kWeights);
    EXPECT_LT(this->Distance(values, [&](double x) { return this->Normal(x, 0, deviation); }),
              tolerance::KolmogorovSmirnov(kCount));
  }
}

TYPED_TEST(FillerTest, BilinearIsATent) {
  const auto values = this->Fill("type: 'bilinear'", {2, 1, 4, 4});
  const double tent[] = {0.25, 0.75, 0.75, 0.25};
  for (int i = 0; i < 32; ++i) {
    EXPECT_NEAR(values[i], tent[i / 4 % 4] * tent[i % 4], tolerance::kExactCase<TypeParam>);
  }
}

TYPED_TEST(FillerTest, RepeatsUnderASeed) {
  for (const char* type : {"uniform", "gaussian", "positive_unitball", "xavier", "msra"}) {
    const std::string text = std::string("type: '") + type + "'";
    EXPECT_EQ(this->Fill(text, {3, 4}), this->Fill(text, {3, 4})) << type;
    EXPECT_GT(this->Deviation(this->Fill(text, {3, 4})), 0) << type;
  }
}

TYPED_TEST(FillerTest, NamesWhatIsWrong) {
  ExpectError([&] { this->Fill("type: 'ones'", {2}); },
              "Unknown filler type: ones (known types: constant, gaussian, positive_unitball, uniform, xavier, msra, "
              "bilinear)");
  ExpectError([&] { this->Fill("type: 'bilinear'", {1, 1, 2, 3}); }, "1 1 2 3 (6)");
  ExpectError([&] { this->Fill("type: 'xavier'", {}); }, "xavier");
}

}  // namespace
}  // namespace rxnn::testing
