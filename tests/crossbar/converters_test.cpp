// Real converters in a product: against the reference, what they count, and ranges that are calibrated.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <random>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"
#include "tests/crossbar/crossbar_problem.hpp"
#include "tests/support/hwy_targets.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

struct Flaw {
  const char* name;
  std::function<void(Hardware&)> set;
};

const std::vector<Flaw>& Flaws() {
  static const std::vector<Flaw> flaws{
      {"DAC table",
       [](Hardware& h) {
         for (int d = 0; d < 1 << h.dac_bits; ++d) {
           h.dac_flaws.volt.push_back(h.v_read_volt * std::pow(d / ((1 << h.dac_bits) - 1.0), 1.1));
         }
       }},
      {"DAC polynomial",
       [](Hardware& h) {
         h.dac_flaws.polynomial = {0.01, 0.9, 0.05};
       }},
      {"DAC bow, gain and offset",
       [](Hardware& h) { h.dac_flaws.inl_lsb = 0.2, h.dac_flaws.gain_error = -0.05, h.dac_flaws.offset_volt = 0.004; }},
      {"DAC steps", [](Hardware& h) { h.dac_flaws.dnl_sigma_lsb = 0.1; }},
      {"DAC noise", [](Hardware& h) { h.dac_flaws.noise_sigma_volt = 0.01; }},
      {"ADC gain and offset", [](Hardware& h) { h.adc_flaws.gain_error = 0.07, h.adc_flaws.offset_lsb = -0.6; }},
      {"ADC spread", [](Hardware& h) { h.adc_flaws.gain_sigma = 0.05, h.adc_flaws.offset_sigma_lsb = 0.7; }},
      {"ADC noise", [](Hardware& h) { h.adc_flaws.noise_sigma_lsb = 0.8; }},
      {"ADC polynomial",
       [](Hardware& h) {
         h.adc_flaws.polynomial = {0.01, 0.9, 0.08};
       }},
      {"ADC bow", [](Hardware& h) { h.adc_flaws.inl_lsb = 1.3; }},
      {"ADC transitions",
       [](Hardware& h) {
         for (int i = 0; i < (1 << h.adc_bits) - 1; ++i) {
           h.adc_flaws.transition_lsb.push_back(i + 0.5 + 0.4 * std::sin(i));
         }
       }},
      {"ADC code widths", [](Hardware& h) { h.adc_flaws.dnl_sigma_lsb = 0.4; }},
      {"all of it",
       [](Hardware& h) {
         h.dac_flaws.inl_lsb = 0.1;
         h.dac_flaws.dnl_sigma_lsb = 0.05;
         h.dac_flaws.noise_sigma_volt = 0.002;
         h.adc_flaws.gain_sigma = 0.03;
         h.adc_flaws.noise_sigma_lsb = 0.5;
         h.adc_flaws.dnl_sigma_lsb = 0.2;
         h.read_noise_sigma = 0.02;
         h.conductance_sigma = 0.05;
       }},
  };
  return flaws;
}

void Calibrate(CrossbarMatrix& matrix, const Problem& problem) {
  if (!matrix.needs_calibration()) return;
  matrix.Calibrate(matrix.ObserveCurrents(0, problem.codes.data(), problem.count, problem.has_negative));
}

ConversionCounts CountsOf(CrossbarMatrix& matrix, const std::function<std::vector<double>()>& multiply,
                          std::vector<double>* sums) {
  matrix.ResetConversionCounts();
  *sums = multiply();
  return matrix.conversion_counts();
}

// Currents are double in one path and float32 in the other: a code may flip where they fall on either side of a
// transition. Few may, by one code.
void ExpectNearReference(const Hardware& hardware, const char* what, unsigned seed) {
  const Problem problem(hardware, 1, 60, 23, 9, seed % 2 == 0, seed);
  CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  Calibrate(matrix, problem);
  std::vector<double> actual, expected;
  const ConversionCounts counts = CountsOf(
      matrix, [&] { return problem.Multiply(matrix, 0, 77); }, &actual);
  const ConversionCounts reference = CountsOf(
      matrix, [&] { return problem.MultiplyReference(matrix, 0, 77); }, &expected);
  EXPECT_EQ(counts.conversions, reference.conversions) << what << "; " << hardware;
  EXPECT_NEAR(counts.low, reference.low, 2 + counts.conversions / 5000) << what << "; " << hardware;
  EXPECT_NEAR(counts.high, reference.high, 2 + counts.conversions / 5000) << what << "; " << hardware;

  double largest = 0;
  for (const double sum : expected) largest = std::max(largest, std::fabs(sum));
  int different = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) different += std::fabs(actual[i] - expected[i]) > 1e-5 * largest;
  EXPECT_LE(different, static_cast<int>(expected.size()) / 20) << what << "; " << hardware;
}

TEST(RealConverters, AgreeWithTheReference) {
  std::mt19937 engine(7);
  for (const Flaw& flaw : Flaws()) {
    for (int i = 0; i < 3; ++i) {
      Hardware hardware = RandomScheme(engine);
      hardware.adc_bits = std::uniform_int_distribution<int>(4, 9)(engine);
      if (i == 1) hardware.adc_range = AdcRange::kCalibrated;
      flaw.set(hardware);
      ExpectNearReference(hardware, flaw.name, i);
    }
  }
}

// More than 20 bits of converter take the reads in double: the same to rounding.
TEST(RealConverters, EqualTheReferenceInDouble) {
  std::mt19937 engine(8);
  for (const Flaw& flaw : Flaws()) {
    if (std::string(flaw.name) == "ADC transitions") continue;  // two million of them
    Hardware hardware = RandomScheme(engine);
    hardware.adc_bits = 21;
    flaw.set(hardware);
    const Problem problem(hardware, 2, 40, 20, 5, true, 3);
    CrossbarMatrix matrix(hardware, "layer", 2, 40, 20);
    matrix.Program(problem.weights.data());
    for (int group = 0; group < 2; ++group) {
      const std::vector<double> expected = problem.MultiplyReference(matrix, group, 5);
      const std::vector<double> actual = problem.Multiply(matrix, group, 5);
      const double lsb = FullScale(hardware).max / (std::ldexp(1.0, 21) - 1);
      const double code = 4 * lsb * std::ldexp(1.0, hardware.weight_bits + hardware.input_bits);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        ASSERT_NEAR(actual[i], expected[i], code) << flaw.name << "; " << hardware;
      }
    }
  }
}

// With ideal ADCs a product is linear in what the DACs put out.
TEST(RealConverters, DacsReplaceDigits) {
  Hardware hardware = IdealHardware();
  hardware.rows = 16;
  hardware.cols = 8;
  hardware.weight_bits = 3;
  hardware.cell_bits = 2;
  hardware.input_bits = hardware.dac_bits = 2;
  hardware.dac_flaws.volt = {0.01, 0.1, 0.15, 0.3};
  for (const SignedWeights scheme : {SignedWeights::kDifferential, SignedWeights::kOffset}) {
    hardware.signed_weights = scheme;
    const Problem problem(hardware, 1, 20, 5, 4, false, 2);
    CrossbarMatrix matrix(hardware, "layer", 1, 20, 5);
    matrix.Program(problem.weights.data());
    const std::vector<double> sums = problem.Multiply(matrix);
    const std::vector<std::int32_t> w = QuantizeWeights(hardware, problem.weights.data(), 5, 20).codes;
    const double step = hardware.v_read_volt / 3;
    const double off = hardware.g_off() / hardware.g_step();
    for (int v = 0; v < 4; ++v) {
      for (int n = 0; n < 5; ++n) {
        double expected = 0;
        for (int k = 0; k < 20; ++k) {
          const int digit = problem.codes[v * 20 + k];
          const double output = hardware.dac_flaws.volt[digit] / step;
          if (scheme == SignedWeights::kDifferential) {
            expected += output * w[n * 20 + k];  // g_off is in both twins
          } else {
            // Slice 0 and 1 of the weight with its offset of 4, each with its g_off, of which the digital side takes
            // off what the digits say.
            expected += output * (w[n * 20 + k] + 4) + (1 + 4) * off * (output - digit) - 4 * digit;
          }
        }
        ASSERT_NEAR(sums[v * 5 + n], expected, 1e-4);
      }
    }
  }
}

TEST(RealConverters, HaveOneResultForAnyThreadsAndBatch) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.rows = 40;
  hardware.cols = 30;
  Flaws().back().set(hardware);
  const Problem problem(hardware, 1, 90, 70, 30, true, 4);
  CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  const std::vector<double> expected = problem.Multiply(matrix, 0, 1000);
  std::vector<double> one_by_one(expected.size());
  for (int v = 0; v < problem.count; ++v) {
    matrix.Multiply(0, problem.codes.data() + v * problem.inputs, 1, true, 1000 + v,
                    one_by_one.data() + v * problem.outputs);
  }
  EXPECT_EQ(one_by_one, expected);
  EXPECT_NE(problem.Multiply(matrix, 0, 1001), expected);
}

// On the fast paths: converters are ideal but their range is small. Tables and products, one byte and two, float32 and
// double, columns that fill no panel.
TEST(ConversionCounts, AreThoseOfTheReference) {
  std::mt19937 engine(9);
  std::int64_t saturated = 0;
  ForEachHwyTarget([&] {
    for (int i = 0; i < 12; ++i) {
      Hardware hardware = RandomScheme(engine);
      hardware.adc_bits = i % 5 == 4 ? 21 : std::uniform_int_distribution<int>(3, 9)(engine);
      if (i % 2 == 0) hardware.dac_bits = 1;
      hardware.adc_range = AdcRange::kGiven;
      const CurrentRange range = FullScale(hardware);
      hardware.adc_min_ampere = (i % 3 == 0 ? 0.05 : 0.3) * range.min * CurrentUnit(hardware);
      if (i % 4 == 1) hardware.adc_min_ampere = 0.1 * range.max * CurrentUnit(hardware);
      hardware.adc_max_ampere = (i % 3 == 0 ? 0.25 : 0.15) * range.max * CurrentUnit(hardware);
      if (i % 6 == 5) hardware.read_noise_sigma = 1e-12;
      const Problem problem(hardware, 1, 40 + 5 * i, 1 + 4 * i, i % 4 == 0 ? 25 : 3, i % 3 == 0, i);
      CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
      matrix.Program(problem.weights.data());
      std::vector<double> sums;
      const ConversionCounts counts = CountsOf(
          matrix, [&] { return problem.Multiply(matrix); }, &sums);
      const ConversionCounts expected = CountsOf(
          matrix, [&] { return problem.MultiplyReference(matrix); }, &sums);
      EXPECT_EQ(counts.conversions, expected.conversions) << hardware;
      // Integer currents: only noise may move one.
      const double slack = hardware.read_noise_sigma > 0 ? 2 + counts.conversions / 5000 : 0;
      EXPECT_NEAR(counts.low, expected.low, slack) << hardware;
      EXPECT_NEAR(counts.high, expected.high, slack) << hardware;
      saturated += counts.low + counts.high;
    }
  });
  EXPECT_GT(saturated, 1000);
}

TEST(ConversionCounts, AddUpAndAreReset) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.adc_range = AdcRange::kGiven;
  hardware.adc_max_ampere = 1e-5;
  const Problem problem(hardware, 1, 70, 20, 3, false, 1);
  CrossbarMatrix matrix(hardware, "layer", 1, 70, 20);
  matrix.Program(problem.weights.data());
  EXPECT_EQ(matrix.conversion_counts().conversions, 0);
  problem.Multiply(matrix);
  const ConversionCounts once = matrix.conversion_counts();
  // Vectors, columns, row tiles, streams, slices, signs.
  EXPECT_EQ(once.conversions, 3 * 20 * 2 * 8 * 4 * 2);
  EXPECT_GT(once.high, 0);
  EXPECT_EQ(once.low, 0);
  problem.Multiply(matrix);
  EXPECT_EQ(matrix.conversion_counts().high, 2 * once.high);
  matrix.ResetConversionCounts();
  EXPECT_EQ(matrix.conversion_counts().conversions, 0);

  hardware.adc_bits = 0;
  CrossbarMatrix ideal(hardware, "layer", 1, 70, 20);
  ideal.Program(problem.weights.data());
  problem.Multiply(ideal);
  EXPECT_EQ(ideal.conversion_counts().conversions, 0);
}

TEST(ConversionCounts, OfFullScaleRangesSaturateNothing) {
  Hardware hardware;
  hardware.wires = WireResistances();
  const Problem problem(hardware, 1, 128, 30, 20, true, 1);
  CrossbarMatrix matrix(hardware, "layer", 1, 128, 30);
  matrix.Program(problem.weights.data());
  problem.Multiply(matrix);
  EXPECT_GT(matrix.conversion_counts().conversions, 0);
  EXPECT_EQ(matrix.conversion_counts().high + matrix.conversion_counts().low, 0);
}

// Few bits: a range that leaves out the rare large currents is nearer to the ideal product.
TEST(Calibration, BySquaredErrorBeatsTheExtremes) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.subtraction = Subtraction::kAnalog;
  hardware.weight_bits = hardware.cell_bits = 6;
  hardware.input_bits = hardware.dac_bits = 6;
  hardware.adc_bits = 4;
  hardware.adc_range = AdcRange::kCalibrated;
  const Problem problem(hardware, 1, 256, 60, 50, false, 1);
  const std::vector<double> ideal = problem.IntegerProduct(hardware);
  const auto error = [&](AdcCalibration calibration, double percentile) {
    hardware.adc_calibration = calibration;
    hardware.adc_percentile = percentile;
    CrossbarMatrix matrix(hardware, "layer", 1, 256, 60);
    matrix.Program(problem.weights.data());
    Calibrate(matrix, problem);
    const std::vector<double> sums = problem.Multiply(matrix);
    const double saturated = static_cast<double>(matrix.conversion_counts().low + matrix.conversion_counts().high) /
                             matrix.conversion_counts().conversions;
    if (calibration == AdcCalibration::kPercentile) {
      EXPECT_NEAR(saturated, 2 * (1 - percentile / 100), 0.05);  // half a step beyond is not clipped
    } else if (calibration == AdcCalibration::kMinMax) {
      EXPECT_EQ(saturated, 0);
    }
    double sum = 0;
    for (std::size_t i = 0; i < sums.size(); ++i) sum += std::pow(sums[i] - ideal[i], 2);
    return sum;
  };
  const double extremes = error(AdcCalibration::kMinMax, 99.9);
  const double least = error(AdcCalibration::kMinimumSquaredError, 99.9);
  EXPECT_LT(least, 0.9 * extremes);
  EXPECT_LT(least, error(AdcCalibration::kPercentile, 90));
  EXPECT_LT(least, 1.02 * error(AdcCalibration::kPercentile, 99));
}

TEST(Calibration, SeesTheOutputsOfTheDacs) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.adc_range = AdcRange::kCalibrated;
  hardware.dac_flaws.gain_error = 0.5;
  const Problem problem(hardware, 1, 30, 10, 5, false, 1);
  CrossbarMatrix matrix(hardware, "layer", 1, 30, 10);
  matrix.Program(problem.weights.data());
  const CurrentHistogram seen = matrix.ObserveCurrents(0, problem.codes.data(), 5, false);
  hardware.dac_flaws = DacFlaws();
  CrossbarMatrix ideal(hardware, "layer", 1, 30, 10);
  ideal.Program(problem.weights.data());
  const CurrentHistogram ideally = ideal.ObserveCurrents(0, problem.codes.data(), 5, false);
  EXPECT_EQ(seen.count(), ideally.count());
  EXPECT_NEAR(seen.max(), 1.5 * ideally.max(), 1e-4);
  EXPECT_NEAR(seen.min(), 1.5 * ideally.min(), 1e-4);
}

}  // namespace
}  // namespace rxnn
