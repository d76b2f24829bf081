// Read noise: the same in both paths, and of the stated size.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"
#include "tests/crossbar/crossbar_problem.hpp"

namespace rxnn {
namespace {

// One slice, one stream, ideal converters: sums are currents.
Hardware NoisyHardware() {
  Hardware hardware = IdealHardware();
  hardware.rows = 16;
  hardware.cols = 8;
  hardware.weight_bits = 3;
  hardware.cell_bits = 2;
  hardware.input_bits = 2;
  hardware.dac_bits = 2;
  hardware.read_noise_sigma = 0.1;
  return hardware;
}

TEST(ReadNoise, IsThatOfTheReference) {
  for (const Subtraction subtraction : {Subtraction::kDigital, Subtraction::kAnalog}) {
    for (const SignedWeights scheme : {SignedWeights::kDifferential, SignedWeights::kOffset}) {
      for (const int adc_bits : {0, 21}) {  // float32 and double
        Hardware hardware = NoisyHardware();
        hardware.weight_bits = 6;
        hardware.dac_bits = 1;
        hardware.conductance_sigma = 0.05;
        hardware.adc_bits = adc_bits;
        hardware.subtraction = subtraction;
        hardware.signed_weights = scheme;
        const Problem problem(hardware, 2, 40, 70, 5, true, 3);
        CrossbarMatrix matrix(hardware, "layer", 2, 40, 70);
        matrix.Program(problem.weights.data());
        const std::vector<double> expected = problem.MultiplyReference(matrix, 1, 12345);
        const std::vector<double> actual = problem.Multiply(matrix, 1, 12345);
        for (std::size_t i = 0; i < expected.size(); ++i) {
          // float32 currents of some hundred, shifted by up to 2^5
          ASSERT_NEAR(actual[i], expected[i], 0.01) << hardware << "; sum " << i;
        }
        EXPECT_NE(problem.Multiply(matrix, 1, 12346), actual);
      }
    }
  }
}

// Mean, variance and independence over many reads of the same inputs.
TEST(ReadNoise, HasTheStatedSize) {
  for (const Subtraction subtraction : {Subtraction::kDigital, Subtraction::kAnalog}) {
    Hardware hardware = NoisyHardware();
    hardware.subtraction = subtraction;
    constexpr int kReads = 20000;
    constexpr int kInputs = 16;
    constexpr int kOutputs = 2;
    Problem problem(hardware, 1, kInputs, kOutputs, kReads, false, 6);
    for (std::size_t i = kInputs; i < problem.codes.size(); ++i) problem.codes[i] = problem.codes[i % kInputs];
    CrossbarMatrix matrix(hardware, "layer", 1, kInputs, kOutputs);
    matrix.Program(problem.weights.data());
    const std::vector<double> sums = problem.Multiply(matrix);

    // The definition, from cells: both twins carry g_off and add their variances.
    const std::vector<std::int32_t> w = QuantizeWeights(hardware, problem.weights.data(), kOutputs, kInputs).codes;
    const double off = hardware.g_off() / hardware.g_step();
    double correlation = 0;
    double deviations = 1;
    std::vector<double> means;
    for (int n = 0; n < kOutputs; ++n) {
      double mean = 0;
      double variance = 0;
      for (int k = 0; k < kInputs; ++k) {
        const double digit = problem.codes[k];
        const double weight = w[n * kInputs + k];
        mean += digit * weight;
        variance +=
            std::pow(digit * (std::max(weight, 0.0) + off), 2) + std::pow(digit * (std::max(-weight, 0.0) + off), 2);
      }
      variance *= hardware.read_noise_sigma * hardware.read_noise_sigma;
      double sum = 0;
      double squares = 0;
      double successive = 0;
      for (int v = 0; v < kReads; ++v) {
        const double noise = sums[v * kOutputs + n] - mean;
        sum += noise;
        squares += noise * noise;
        if (v > 0) successive += noise * (sums[(v - 1) * kOutputs + n] - mean);
      }
      // Five standard errors of each estimate.
      EXPECT_NEAR(sum / kReads, 0, 5 * std::sqrt(variance / kReads));
      EXPECT_NEAR(squares / kReads / variance, 1, 5 * std::sqrt(2.0 / kReads));
      EXPECT_NEAR(successive / kReads / variance, 0, 5 / std::sqrt(kReads));
      means.push_back(mean);
      deviations *= std::sqrt(variance);
    }
    for (int v = 0; v < kReads; ++v) correlation += (sums[2 * v] - means[0]) * (sums[2 * v + 1] - means[1]);
    EXPECT_NEAR(correlation / kReads / deviations, 0, 5 / std::sqrt(kReads));
  }
}

}  // namespace
}  // namespace rxnn
