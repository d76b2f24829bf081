// Multiply against MultiplyReference on all kinds of hardware, and what must not change its result.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"
#include "tests/crossbar/crossbar_problem.hpp"
#include "tests/support/hwy_targets.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

double Largest(const std::vector<double>& values) {
  double largest = 0;
  for (const double value : values) largest = std::max(largest, std::fabs(value));
  return largest;
}

// Every double addition of a column may round once, in the order of the reference or another.
double AdditionTolerance(const CrossbarMatrix& matrix, const Problem& problem, const std::vector<double>& expected) {
  const Hardware& hardware = matrix.hardware();
  const double additions = 4.0 * hardware.num_streams() * hardware.num_slices() * (problem.inputs / hardware.rows + 1);
  const double largest_sum = std::ldexp(1.0, hardware.weight_bits + hardware.input_bits) * problem.inputs;
  return additions * tolerance::kDoubleEps * std::max(largest_sum, Largest(expected));
}

void Calibrate(CrossbarMatrix& matrix, const Problem& problem) {
  if (matrix.needs_calibration()) {
    matrix.Calibrate(matrix.ObserveCurrents(0, problem.codes.data(), problem.count, problem.has_negative));
  }
}

Hardware RandomAdc(std::mt19937& engine, Hardware hardware, int max_bits) {
  hardware.adc_bits = std::uniform_int_distribution<int>(3, max_bits)(engine);
  switch (std::uniform_int_distribution<int>(0, 2)(engine)) {
    case 0:
      break;
    case 1:
      hardware.adc_range = AdcRange::kCalibrated;
      break;
    default:
      hardware.adc_range = AdcRange::kGiven;
      const CurrentRange range = FullScale(hardware);
      hardware.adc_min_ampere = 0.4 * range.min * CurrentUnit(hardware);
      hardware.adc_max_ampere = 0.6 * range.max * CurrentUnit(hardware);
  }
  return hardware;
}

// Of one group; `roundings` for each addition.
void ExpectEqualsReference(const Hardware& hardware, const Problem& problem, double roundings = 1) {
  CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  Calibrate(matrix, problem);
  const std::vector<double> expected = problem.MultiplyReference(matrix);
  const std::vector<double> actual = problem.Multiply(matrix);
  const double slack = roundings * AdditionTolerance(matrix, problem, expected);
  for (std::size_t j = 0; j < expected.size(); ++j) {
    ASSERT_NEAR(actual[j], expected[j], slack) << hardware << "; sum " << j;
  }
}

// Levels are integers: no current is rounded before its converter, so codes are those of the reference.
TEST(Multiply, EqualsReferenceOnIdealCells) {
  std::mt19937 engine(1);
  for (int i = 0; i < 40; ++i) {
    const Hardware hardware = RandomAdc(engine, RandomScheme(engine), 10);
    const Problem problem(hardware, 1, 10 + 5 * i, 1 + 3 * i, 7, i % 2 == 0, i);
    ASSERT_NO_FATAL_FAILURE(ExpectEqualsReference(hardware, problem));
  }
}

// So many outputs that the levels of neighbouring panels are copied together, for few vectors and not for many.
TEST(Multiply, EqualsReferenceOnWideMatrices) {
  std::mt19937 engine(6);
  for (int i = 0; i < 12; ++i) {
    const Hardware hardware = RandomAdc(engine, RandomScheme(engine), 8);
    const Problem problem(hardware, 1, 3 + 12 * i, 1024 + 5 * i, i % 4 == 3 ? 66 : 3, i % 2 == 0, i);
    ASSERT_NO_FATAL_FAILURE(ExpectEqualsReference(hardware, problem));
  }
}

// Levels are real. Where float32 currents serve, some code may flip (tests/vmm checks that it may); most must not.
TEST(Multiply, AgreesWithReferenceOnFlawedCells) {
  std::mt19937 engine(2);
  std::int64_t sums = 0;
  std::int64_t flipped = 0;
  for (int i = 0; i < 24; ++i) {
    Hardware hardware = RandomAdc(engine, RandomScheme(engine), 8);
    hardware.conductance_sigma = 0.1;
    hardware.stuck_off_rate = 0.01;
    const Problem problem(hardware, 1, 10 + 5 * i, 1 + 3 * i, 7, i % 2 == 0, i);
    CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
    matrix.Program(problem.weights.data());
    Calibrate(matrix, problem);
    const std::vector<double> expected = problem.MultiplyReference(matrix);
    const std::vector<double> actual = problem.Multiply(matrix);
    const double slack = AdditionTolerance(matrix, problem, expected);
    // No code weighs more than the largest shift, and few flip in one sum.
    const double step = matrix.hardware().adc_range == AdcRange::kFullScale ? FullScale(hardware).max : 0;
    for (std::size_t j = 0; j < expected.size(); ++j) {
      ++sums;
      flipped += std::fabs(actual[j] - expected[j]) > slack;
      if (step == 0) continue;
      const double lsb = std::max(1.0, 2 * step / (std::ldexp(1.0, hardware.adc_bits) - 1));
      ASSERT_NEAR(actual[j], expected[j], 4 * lsb * std::ldexp(1.0, hardware.weight_bits + hardware.input_bits))
          << hardware << "; sum " << j;
    }
  }
  EXPECT_LT(flipped, sums / 50);
}

// Weights and inputs of many bits, all large and of one sign: sums of one array that 32 bits do not hold.
TEST(Multiply, EqualsReferenceBeyond32Bits) {
  for (const int weight_bits : {12, 16}) {
    for (const int input_bits : {12, 16}) {
      Hardware hardware = IdealHardware();
      hardware.weight_bits = weight_bits;
      hardware.input_bits = input_bits;
      hardware.adc_bits = 8;
      Problem problem(hardware, 1, 64, 8, 3, false, 5);
      for (float& weight : problem.weights) weight = std::fabs(weight) + 1;
      std::fill(problem.codes.begin(), problem.codes.end(), hardware.max_input_code());
      ASSERT_NO_FATAL_FAILURE(ExpectEqualsReference(hardware, problem));
    }
  }
}

// More than 20 bits of converter take the kernels in double: the same codes, real levels or not.
TEST(Multiply, EqualsReferenceInDouble) {
  std::mt19937 engine(3);
  for (int i = 0; i < 12; ++i) {
    Hardware hardware = RandomScheme(engine);
    hardware.conductance_sigma = 0.1;
    hardware.adc_bits = 21;
    const Problem problem(hardware, 1, 20 + 5 * i, 1 + 5 * i, 5, i % 2 == 0, i);
    ASSERT_NO_FATAL_FAILURE(ExpectEqualsReference(hardware, problem, 4));
  }
}

TEST(Multiply, HasOneResultForAnyThreadsAndBatch) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.conductance_sigma = 0.1;
  hardware.adc_bits = 6;
  hardware.read_noise_sigma = 0.02;
  const Problem problem(hardware, 1, 100, 150, 50, true, 4);
  CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  const std::vector<double> expected = problem.Multiply(matrix, 0, 1000);

  const int threads = omp_get_max_threads();
  for (const int count : {1, 2, 3, 5}) {
    omp_set_num_threads(count);
    EXPECT_EQ(problem.Multiply(matrix, 0, 1000), expected) << count << " threads";
  }
  omp_set_num_threads(threads);

  std::vector<double> one_by_one(expected.size());
  for (int v = 0; v < problem.count; ++v) {
    matrix.Multiply(0, problem.codes.data() + v * problem.inputs, 1, true, 1000 + v,
                    one_by_one.data() + v * problem.outputs);
  }
  EXPECT_EQ(one_by_one, expected);

  std::vector<double> nested(expected.size());
#pragma omp parallel num_threads(2)
  {
#pragma omp single
    matrix.Multiply(0, problem.codes.data(), problem.count, true, 1000, nested.data());
  }
  EXPECT_EQ(nested, expected);
}

TEST(Multiply, HasOneResultOnEveryTargetOnIdealCells) {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.adc_bits = 6;
  const Problem problem(hardware, 1, 100, 75, 20, true, 4);
  CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  const std::vector<double> expected = problem.Multiply(matrix);
  ForEachHwyTarget([&] { EXPECT_EQ(problem.Multiply(matrix), expected); });
}

TEST(Multiply, KeepsGroupsApart) {
  Hardware hardware;
  hardware.rows = 16;
  hardware.cols = 12;
  hardware.adc_bits = 6;
  const Problem both(hardware, 2, 30, 20, 4, false, 8);
  CrossbarMatrix matrix(hardware, "layer", 2, 30, 20);
  matrix.Program(both.weights.data());
  for (int group = 0; group < 2; ++group) {
    const std::vector<double> expected = both.MultiplyReference(matrix, group);
    const std::vector<double> actual = both.Multiply(matrix, group);
    int equal = 0;
    for (std::size_t j = 0; j < expected.size(); ++j) equal += std::fabs(actual[j] - expected[j]) < 1e-6;
    EXPECT_GE(equal, static_cast<int>(expected.size()) - 2);
  }
  EXPECT_NE(both.Multiply(matrix, 0), both.Multiply(matrix, 1));
}

TEST(Calibration, ObservesTheCurrentsAtTheConverters) {
  for (const Subtraction subtraction : {Subtraction::kDigital, Subtraction::kAnalog}) {
    Hardware hardware = IdealHardware();
    hardware.rows = 3;
    hardware.cols = 2;
    hardware.weight_bits = 3;
    hardware.cell_bits = 2;
    hardware.input_bits = 2;
    hardware.dac_bits = 2;
    hardware.adc_bits = 8;
    hardware.adc_range = AdcRange::kCalibrated;
    hardware.subtraction = subtraction;
    CrossbarMatrix matrix(hardware, "layer", 1, 3, 2);
    const float weights[] = {3, -1, 2, 0, -2, -3};  // W_q = weights: the largest is 3, the code of s_w
    matrix.Program(weights);
    ASSERT_TRUE(matrix.needs_calibration());
    const std::int32_t codes[] = {3, 0, 1};
    double sums[2];
    EXPECT_THROW(matrix.Multiply(0, codes, 1, false, 0, sums), std::logic_error);

    const CurrentRange range = matrix.ObserveCurrents(0, codes, 1, false).Range(hardware);
    if (subtraction == Subtraction::kAnalog) {
      EXPECT_DOUBLE_EQ(range.min, -3);  // second output: 3*0 + 1*(-3)
      EXPECT_DOUBLE_EQ(range.max, 11);  // first output: 3*3 + 1*2
    } else {
      const double share = 4 * hardware.g_off() / hardware.g_step();
      EXPECT_DOUBLE_EQ(range.min, 0 + share);
      EXPECT_DOUBLE_EQ(range.max, 11 + share);
    }
    matrix.SetAdcRange(range);
    EXPECT_FALSE(matrix.needs_calibration());
    matrix.Multiply(0, codes, 1, false, 0, sums);
    EXPECT_EQ(sums[0], 11);
    EXPECT_EQ(sums[1], -3);
  }
}

TEST(Calibration, TakesOneAndTheSameCurrent) {
  Hardware hardware = IdealHardware();
  hardware.adc_bits = 4;
  hardware.adc_range = AdcRange::kCalibrated;
  CrossbarMatrix matrix(hardware, "layer", 1, 5, 3);
  matrix.Program(std::vector<float>(15, 0.0f).data());
  const std::vector<std::int32_t> codes(5, 0);
  matrix.Calibrate(matrix.ObserveCurrents(0, codes.data(), 1, false));
  std::vector<double> sums(3, -1);
  matrix.Multiply(0, codes.data(), 1, false, 0, sums.data());
  EXPECT_EQ(sums, std::vector<double>(3, 0.0));
}

TEST(Calibration, LeavesOtherRangesAlone) {
  Hardware hardware;
  hardware.wires = WireResistances();
  const Problem problem(hardware, 1, 20, 10, 3, false, 1);
  CrossbarMatrix matrix(hardware, "layer", 1, 20, 10);
  matrix.Program(problem.weights.data());
  const std::vector<double> before = problem.Multiply(matrix);
  EXPECT_FALSE(matrix.needs_calibration());
  matrix.SetAdcRange({0, 1});
  EXPECT_EQ(problem.Multiply(matrix), before);
}

}  // namespace
}  // namespace rxnn
