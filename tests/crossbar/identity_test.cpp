// The two identities that hold a crossbar layer together: integer arithmetic on ideal hardware, to the bit; and the
// folded matrix with ideal converters.
#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"
#include "tests/crossbar/crossbar_problem.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

// The fewest bits whose converter tells single levels apart; 0 where 24 do not.
int ResolvingAdcBits(const Hardware& hardware) {
  const CurrentRange range = FullScale(hardware);
  for (int bits = 1; bits <= 24; ++bits) {
    if (Adc(bits, range.min, range.max).lsb < 1) return bits;
  }
  return 0;
}

void ExpectIntegerProduct(const Hardware& hardware, const Problem& problem) {
  CrossbarMatrix matrix(hardware, "layer", problem.groups, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  for (int group = 0; group < problem.groups; ++group) {
    ASSERT_EQ(problem.Multiply(matrix, group), problem.IntegerProduct(hardware, group))
        << hardware << "; " << problem.inputs << " inputs, " << problem.outputs << " outputs, group " << group;
  }
}

class IntegerIdentity : public testing::TestWithParam<unsigned> {};

TEST_P(IntegerIdentity, RandomSchemesWithIdealConverters) {
  std::mt19937 engine(GetParam());
  for (int i = 0; i < 12; ++i) {
    const Hardware hardware = RandomScheme(engine);
    const int inputs = std::uniform_int_distribution<int>(1, 200)(engine);
    const int outputs = std::uniform_int_distribution<int>(1, 150)(engine);
    ExpectIntegerProduct(hardware, Problem(hardware, 1 + i % 2, inputs, outputs, 1 + i, i % 3 == 0, GetParam() + i));
  }
}

TEST_P(IntegerIdentity, RandomSchemesWithConvertersThatResolveLevels) {
  std::mt19937 engine(GetParam() + 1000);
  for (int i = 0; i < 8; ++i) {
    Hardware hardware = RandomScheme(engine);
    hardware.adc_bits = ResolvingAdcBits(hardware);
    const int inputs = std::uniform_int_distribution<int>(1, 200)(engine);
    const int outputs = std::uniform_int_distribution<int>(1, 70)(engine);
    ExpectIntegerProduct(hardware, Problem(hardware, 1 + i % 2, inputs, outputs, 1 + i, i % 3 == 0, GetParam() + i));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, IntegerIdentity, testing::Range(1u, 9u));

// 64 rows of 2-bit cells under a 1-bit DAC: 8 bits are just enough.
TEST(IntegerIdentityOf, DefaultHardwareWithoutWires) {
  for (const SignedWeights scheme : {SignedWeights::kDifferential, SignedWeights::kOffset}) {
    Hardware hardware;
    hardware.wires = WireResistances();
    hardware.signed_weights = scheme;
    ASSERT_EQ(ResolvingAdcBits(hardware), 8);
    ExpectIntegerProduct(hardware, Problem(hardware, 1, 147, 96, 20, true, 5));
  }
}

TEST(IntegerIdentityOf, EveryTileEdge) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.rows = 20;
  hardware.cols = 18;
  for (const int inputs : {1, 19, 20, 21, 39, 40, 41}) {
    for (const int outputs : {1, 10, 15, 16, 17, 18, 19, 36, 37}) {
      ExpectIntegerProduct(hardware, Problem(hardware, 1, inputs, outputs, 7, false, 3));
    }
  }
}

// Arrays wider than one panel of the kernels, and vectors around the six that go together.
TEST(IntegerIdentityOf, WideArraysAndFewVectors) {
  for (const int adc_bits : {0, 10}) {
    Hardware hardware;
    hardware.wires = WireResistances();
    hardware.rows = 130;
    hardware.cols = 200;
    hardware.adc_bits = adc_bits;
    for (const int count : {1, 5, 6, 7, 12, 97}) {
      ExpectIntegerProduct(hardware, Problem(hardware, 1, 131, 230, count, count % 2 == 0, 3));
    }
  }
}

// Sums that float32 would not hold.
TEST(IntegerIdentityOf, SixteenBitsOnLargeArrays) {
  Hardware hardware = IdealHardware();
  hardware.rows = 300;
  hardware.weight_bits = 16;
  hardware.cell_bits = 12;
  hardware.input_bits = 16;
  hardware.dac_bits = 12;
  const Problem problem(hardware, 1, 700, 70, 8, true, 9);
  ExpectIntegerProduct(hardware, problem);
}

// sums = codes * sum_slices 2^(cell_bits slice) (level+ - level-), less the offset's part, in double.
TEST(FoldedIdentity, IdealConvertersOnRandomFlawedHardware) {
  std::mt19937 engine(17);
  for (int i = 0; i < 20; ++i) {
    Hardware hardware = RandomScheme(engine);
    hardware.rows = std::min(hardware.rows, 24);
    hardware.cols = std::min(hardware.cols, 24);
    hardware.wires = {500, 100, 2.5, 2.5};
    hardware.conductance_sigma = i % 2 == 0 ? 0.1 : 0;
    hardware.stuck_on_rate = i % 3 == 0 ? 0.02 : 0;
    const Problem problem(hardware, 1, 5 + 7 * i, 3 + 5 * i, 6, i % 2 == 0, i);
    CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
    matrix.Program(problem.weights.data());
    const std::vector<float> levels = LevelsOf(matrix);
    const std::vector<double> sums = problem.Multiply(matrix);

    const bool offset = hardware.signed_weights == SignedWeights::kOffset;
    // With variation no folded level is larger.
    const double largest = std::ldexp(2, hardware.weight_bits);
    for (int v = 0; v < problem.count; ++v) {
      for (int n = 0; n < problem.outputs; ++n) {
        double sum = 0;
        double magnitudes = 0;
        double codes = 0;
        for (int k = 0; k < problem.inputs; ++k) {
          double weight = offset ? -std::ldexp(1, hardware.weight_bits - 1) : 0;
          for (int polarity = 0; polarity < hardware.num_polarities(); ++polarity) {
            for (int slice = 0; slice < hardware.num_slices(); ++slice) {
              const std::size_t plane = polarity * hardware.num_slices() + slice;
              const double level = levels[(plane * problem.inputs + k) * problem.outputs + n];
              weight += std::ldexp(polarity == 0 ? level : -level, hardware.cell_bits * slice);
            }
          }
          const double term = weight * problem.codes[v * problem.inputs + k];
          sum += term;
          magnitudes += std::fabs(term);
          codes += std::abs(problem.codes[v * problem.inputs + k]);
        }
        ASSERT_NEAR(sums[v * problem.outputs + n], sum,
                    tolerance::SumTolerance(problem.inputs, magnitudes) + tolerance::LevelUnits(largest, codes))
            << hardware << "; vector " << v << ", output " << n;
      }
    }
  }
}

}  // namespace
}  // namespace rxnn
