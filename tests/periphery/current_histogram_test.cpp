#include "rxnn/current_histogram.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

namespace rxnn {
namespace {

std::vector<double> Normals(int count, double mean, double sigma, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::normal_distribution<double> normal(mean, sigma);
  std::vector<double> values(count);
  for (double& value : values) value = normal(engine);
  return values;
}

CurrentHistogram HistogramOf(const std::vector<double>& currents, double share = 0) {
  CurrentHistogram histogram;
  histogram.Add(currents.data(), static_cast<std::int64_t>(currents.size()), share);
  return histogram;
}

double SquaredError(const std::vector<double>& currents, int bits, const CurrentRange& range) {
  const Adc adc(bits, range.min, range.max);
  double sum = 0;
  for (const double current : currents) sum += std::pow(adc.Convert(current) - current, 2);
  return sum;
}

TEST(CurrentHistogram, KeepsTheEndsExactly) {
  const CurrentHistogram histogram = HistogramOf({3.25, -1.0, 7.1}, 0.5);
  EXPECT_EQ(histogram.count(), 3);
  EXPECT_EQ(histogram.min(), -0.5);
  EXPECT_EQ(histogram.max(), 7.6);
  const CurrentRange range = histogram.Range(Hardware());
  EXPECT_EQ(range.min, -0.5);
  EXPECT_EQ(range.max, 7.6);
  EXPECT_EQ(CurrentHistogram().Range(Hardware()).max, 0);
}

TEST(CurrentHistogram, FindsPercentiles) {
  std::vector<double> currents = Normals(100'000, 10, 30, 1);
  const CurrentHistogram histogram = HistogramOf(currents);
  std::sort(currents.begin(), currents.end());
  const double bin = (currents.back() - currents.front()) / (CurrentHistogram::kMostBins / 2);
  for (const double percent : {0.1, 5.0, 50.0, 99.0, 99.9}) {
    EXPECT_NEAR(histogram.Percentile(percent), currents[static_cast<size_t>(percent / 100 * currents.size())], 2 * bin);
  }
  EXPECT_EQ(histogram.Percentile(100), currents.back());
  EXPECT_EQ(histogram.Percentile(0), currents.front());
  Hardware hardware;
  hardware.adc_calibration = AdcCalibration::kPercentile;
  hardware.adc_percentile = 99;
  EXPECT_EQ(histogram.Range(hardware).min, histogram.Percentile(1));
  EXPECT_EQ(histogram.Range(hardware).max, histogram.Percentile(99));
}

// Against a scan of the very currents, symmetric ranges and both ends.
TEST(CurrentHistogram, FindsTheRangeOfLeastSquaredError) {
  for (const double mean : {0.0, 200.0}) {
    const std::vector<double> currents = Normals(20'000, mean, 50, 2);
    const CurrentHistogram histogram = HistogramOf(currents);
    Hardware hardware;
    hardware.adc_calibration = AdcCalibration::kMinimumSquaredError;
    for (const int bits : {3, 5, 8}) {
      hardware.adc_bits = bits;
      const CurrentRange found = histogram.Range(hardware);
      const double error = SquaredError(currents, bits, found);
      double best = SquaredError(currents, bits, {histogram.min(), histogram.max()});
      if (bits < 8) {
        EXPECT_LT(error, 0.8 * best) << bits;
      }
      const double span = histogram.max() - histogram.min();
      for (int i = 0; i < 40; ++i) {
        for (int j = i + 5; j <= 40; ++j) {
          best = std::min(
              best, SquaredError(currents, bits, {histogram.min() + span * i / 40, histogram.min() + span * j / 40}));
        }
      }
      EXPECT_LT(error, 1.03 * best) << bits << " bits, mean " << mean;
    }
  }
}

// However the currents come, one histogram comes of them.
TEST(CurrentHistogram, DoesNotDependOnOrderOrDivision) {
  std::vector<double> currents = Normals(5000, -3, 400, 3);
  currents[17] = 1e5;
  const CurrentHistogram whole = HistogramOf(currents);
  std::mt19937 engine(1);
  for (int trial = 0; trial < 5; ++trial) {
    std::shuffle(currents.begin(), currents.end(), engine);
    CurrentHistogram parts;
    for (size_t begin = 0; begin < currents.size();) {
      const size_t end = std::min(currents.size(), begin + 1 + engine() % 700);
      parts.Add(HistogramOf({currents.begin() + begin, currents.begin() + end}));
      begin = end;
    }
    EXPECT_EQ(parts.count(), whole.count());
    for (double percent = 0; percent <= 100; percent += 2.5) {
      ASSERT_EQ(parts.Percentile(percent), whole.Percentile(percent));
    }
  }
}

TEST(CurrentHistogram, OfOneCurrentIsThatCurrent) {
  const CurrentHistogram histogram = HistogramOf(std::vector<double>(7, 2.5));
  EXPECT_EQ(histogram.Percentile(50), 2.5);
  EXPECT_EQ(histogram.MinimumSquaredError(4).min, 2.5);
  EXPECT_EQ(histogram.MinimumSquaredError(4).max, 2.5);
}

}  // namespace
}  // namespace rxnn
