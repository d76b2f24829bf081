// Products on the GPU's kernels against the CPU's, and against the readable reference. Compiled twice: with kernels for
// the host, emulated, and for a GPU.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "rxnn/convolution.hpp"
#include "rxnn/gpu.hpp"
#include "tests/crossbar/crossbar_problem.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

// Hardware that the GPU reads, arrays as large as an emulator has time for.
Hardware ReadableHardware(std::mt19937& engine, int adc_bits) {
  const auto pick = [&engine](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
  Hardware hardware = RandomScheme(engine);
  hardware.rows = pick(1, 70);
  hardware.weight_bits = pick(2, 6);
  hardware.cell_bits = pick(1, std::min(hardware.weight_bits, 3));
  hardware.input_bits = pick(1, 10);
  hardware.dac_bits = pick(1, std::min(hardware.input_bits, 3));
  hardware.adc_bits = adc_bits;
  return hardware;
}

struct Comparison {
  std::int64_t sums = 0;
  std::int64_t different = 0;
};

void Compare(const Hardware& hardware, int seed, Comparison* comparison) {
  const Problem problem(hardware, 2, 20 + 23 * (seed % 7), 1 + 13 * (seed % 7), 5 + 61 * (seed % 8 == 0), seed % 2 == 0,
                        seed);
  CrossbarMatrix matrix(hardware, "layer", 2, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  if (matrix.needs_calibration()) matrix.SetAdcRange({-3.0, 0.4 * FullScale(hardware).max});
  GpuCrossbar gpu(matrix);
  for (int group = 0; group < 2; ++group) {
    const std::vector<double> expected = problem.Multiply(matrix, group);
    std::vector<double> actual(expected.size(), -1);
    gpu.Multiply(group, problem.codes.data(), problem.count, problem.has_negative, actual.data());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      ++comparison->sums;
      const double largest = std::ldexp(1.0, hardware.weight_bits + hardware.input_bits) * problem.inputs;
      comparison->different += std::fabs(actual[i] - expected[i]) > 8 * tolerance::kDoubleEps * largest;
    }
  }
  const ConversionCounts on_cpu = matrix.conversion_counts(), on_gpu = gpu.conversion_counts();
  EXPECT_EQ(on_gpu.conversions, on_cpu.conversions) << hardware;
  if (comparison->different == 0) {
    EXPECT_EQ(on_gpu.low, on_cpu.low) << hardware;
    EXPECT_EQ(on_gpu.high, on_cpu.high) << hardware;
  }
}

// Whole levels: no current is rounded before its converter, every sum is that of the CPU.
TEST(GpuCrossbar, EqualsTheCpuOnIdealCells) {
  std::mt19937 engine(21);
  int compared = 0;
  for (int i = 0; i < 24; ++i) {
    Hardware hardware = ReadableHardware(engine, 3 + i % 6);
    if (i % 3 == 1) hardware.adc_range = AdcRange::kCalibrated;
    Comparison comparison;
    try {
      Compare(hardware, i, &comparison);
    } catch (const GpuUnsupported& refusal) {  // the CPU reads these currents in double
      EXPECT_NE(std::string(refusal.what()).find("adc_bits"), std::string::npos) << refusal.what();
      continue;
    }
    ++compared;
    EXPECT_EQ(comparison.different, 0) << hardware << ", problem " << i;
  }
  EXPECT_GT(compared, 12);
}

// Real levels, of wires and variation: codes at the border between two may differ, few do.
TEST(GpuCrossbar, AgreesWithTheCpuOnRealCells) {
  std::mt19937 engine(22);
  Comparison comparison;
  for (int i = 0; i < 12; ++i) {
    Hardware hardware = ReadableHardware(engine, 4 + i % 6);
    hardware.conductance_sigma = 0.1;
    if (i % 2 == 0) hardware.wires = {500, 100, 2.5, 2.5};
    if (i % 3 == 1) hardware.adc_range = AdcRange::kCalibrated;
    Compare(hardware, i, &comparison);
  }
  EXPECT_GT(comparison.sums, 3000);
  EXPECT_LE(comparison.different, comparison.sums / 100);
}

// Rows on both sides of what a step, and what the registers, hold.
TEST(GpuCrossbar, ReadsArraysOfAnyRows) {
  for (const int rows : {1, 31, 32, 33, 64, 65, 96, 120}) {
    Hardware hardware = IdealHardware();
    hardware.rows = rows;
    hardware.weight_bits = 3;
    hardware.cell_bits = 1;
    hardware.input_bits = 3;
    hardware.adc_bits = 8;
    Comparison comparison;
    Compare(hardware, 5, &comparison);  // 135 inputs
    EXPECT_EQ(comparison.different, 0) << rows << " rows";
  }
}

// Ideal converters: whole numbers exactly, others as precisely as float32 sums of a few rows.
TEST(GpuCrossbar, FoldsIdealConverters) {
  std::mt19937 engine(23);
  for (int i = 0; i < 16; ++i) {
    const Hardware hardware = ReadableHardware(engine, 0);
    const Problem problem(hardware, 1, 20 + 23 * (i % 7), 1 + 17 * (i % 6), 5 + 60 * (i % 4 == 0), i % 2 == 0, i);
    CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
    matrix.Program(problem.weights.data());
    GpuCrossbar gpu(matrix);
    std::vector<double> actual(static_cast<std::size_t>(problem.count) * problem.outputs);
    gpu.Multiply(0, problem.codes.data(), problem.count, problem.has_negative, actual.data());
    EXPECT_EQ(actual, problem.IntegerProduct(hardware)) << hardware;
  }
  Hardware hardware;
  hardware.conductance_sigma = 0.1;
  hardware.adc_bits = 0;
  for (const int input_bits : {8, 12}) {
    hardware.input_bits = input_bits;
    const Problem problem(hardware, 1, 150, 70, 40, true, input_bits);
    CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
    matrix.Program(problem.weights.data());
    GpuCrossbar gpu(matrix);
    const std::vector<double> expected = problem.MultiplyReference(matrix);
    std::vector<double> actual(expected.size());
    gpu.Multiply(0, problem.codes.data(), problem.count, true, actual.data());
    const double magnitudes = 130.0 * hardware.max_input_code() * problem.inputs;  // of weights up to 1.02 * 127
    for (std::size_t n = 0; n < expected.size(); ++n) {
      ASSERT_NEAR(actual[n], expected[n], tolerance::SumTolerance(64, magnitudes));
    }
  }
}

TEST(GpuCrossbar, MultipliesAsTheCpuDoes) {
  Hardware hardware;
  hardware.conductance_sigma = 0.05;
  hardware.adc_bits = 9;
  const Problem problem(hardware, 1, 130, 40, 1, false, 5);
  CrossbarMatrix matrix(hardware, "layer", 1, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  GpuCrossbar gpu(matrix);
  std::mt19937 engine(6);
  std::normal_distribution<float> value;
  std::vector<float> x(37 * 130);
  for (float& v : x) v = value(engine);
  for (int k = 0; k < 130; ++k) x[k] = std::fabs(x[k]);  // one vector without negative parts
  std::fill_n(x.begin() + 130, 130, 0.0f);
  std::vector<float> expected(37 * 40), actual(37 * 40);
  CrossbarMatmul(matrix, x.data(), 37, 0, expected.data());
  gpu.Matmul(x.data(), 37, Memory::kHost, actual.data());
  int different = 0;
  for (std::size_t i = 0; i < actual.size(); ++i) different += actual[i] != expected[i];
  EXPECT_LE(different, 15);
  x[40] = NAN;
  EXPECT_THROW(gpu.Matmul(x.data(), 37, Memory::kHost, actual.data()), std::invalid_argument);
}

TEST(GpuCrossbar, ConvolvesAsTheCpuDoes) {
  Hardware hardware = IdealHardware();
  hardware.adc_bits = 7;
  hardware.input_bits = 6;
  const int groups = 2, channels = 3, count = 3, outputs = 20;
  ConvolutionGeometry geometry;
  geometry.input = {9, 7};
  geometry.kernel = {3, 2};
  geometry.stride = {2, 1};
  geometry.pad = {1, 2};
  geometry.dilation = {1, 2};
  geometry.output = {(9 + 2 - 3) / 2 + 1, 7 + 4 - 3 + 1};
  const int inputs = channels * 6, positions = geometry.output[0] * geometry.output[1];
  const Problem problem(hardware, groups, inputs, outputs, 1, false, 7);
  CrossbarMatrix matrix(hardware, "layer", groups, inputs, outputs);
  matrix.Program(problem.weights.data());

  std::mt19937 engine(8);
  std::normal_distribution<float> value;
  std::vector<float> images(count * groups * channels * 63);
  for (float& v : images) v = value(engine);
  for (int i = 0; i < groups * channels * 63; ++i) images[i] = std::fabs(images[i]);
  ConvolutionVectors vectors(hardware, geometry, groups, channels);
  vectors.Encode(images.data(), count);
  std::vector<float> expected(count * groups * outputs * positions);
  matrix.Multiply(vectors, 0, [&](const SumBlock& block) {
    for (int v = 0; v < block.vectors; ++v) {
      const int vector = block.first_vector + v;
      for (int n = 0; n < block.outputs; ++n) {
        const int output = block.pack * outputs + block.first_output + n;
        expected[(vector / positions * groups * outputs + output) * positions + vector % positions] =
            static_cast<float>(block.sums[v * block.stride + n] *
                               matrix.OutputScale(output, vectors.scale(vector).range));
      }
    }
  });
  GpuCrossbar gpu(matrix);
  std::vector<float> actual(expected.size());
  gpu.Convolve(geometry, images.data(), count, Memory::kHost, actual.data());
  EXPECT_EQ(actual, expected);
  EXPECT_EQ(gpu.conversion_counts().conversions, matrix.conversion_counts().conversions);
}

TEST(GpuCrossbar, RefusesByName) {
  const auto refusal = [](const Hardware& hardware) {
    const Problem problem(hardware, 1, 20, 5, 1, false, 9);
    CrossbarMatrix matrix(hardware, "layer", 1, 20, 5);
    matrix.Program(problem.weights.data());
    try {
      GpuCrossbar gpu(matrix);
    } catch (const GpuUnsupported& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  Hardware noisy;
  noisy.read_noise_sigma = 0.01;
  EXPECT_NE(refusal(noisy).find("read_noise_sigma"), std::string::npos);
  Hardware bent;
  bent.dac_flaws.gain_error = 0.01;
  EXPECT_NE(refusal(bent).find("dac_"), std::string::npos);
  Hardware shifted;
  shifted.adc_flaws.offset_lsb = 0.5;
  EXPECT_NE(refusal(shifted).find("adc_"), std::string::npos);
  Hardware fine;
  fine.adc_bits = 20;
  EXPECT_NE(refusal(fine).find("adc_bits"), std::string::npos);
  Hardware sharing;
  sharing.group_packing = GroupPacking::kBlockDiagonal;
  CrossbarMatrix shared(sharing, "layer", 4, 5, 5);
  shared.Program(Problem(sharing, 4, 5, 5, 1, false, 10).weights.data());
  try {
    GpuCrossbar gpu(shared);
    ADD_FAILURE() << "groups that share arrays were accepted";
  } catch (const GpuUnsupported& error) {
    EXPECT_NE(std::string(error.what()).find("group_packing"), std::string::npos);
  }
  Hardware unprogrammed;
  CrossbarMatrix matrix(unprogrammed, "layer", 1, 20, 5);
  EXPECT_THROW(GpuCrossbar gpu(matrix), std::logic_error);
  EXPECT_EQ(refusal(Hardware()), "accepted");
}

}  // namespace
}  // namespace rxnn
