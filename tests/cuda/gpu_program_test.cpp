// Programming and extraction on the GPU's kernels against the CPU's and the nodal analysis.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <vector>

#include "cuda/device_memory.hpp"
#include "device/program_cuda.hpp"
#include "rxnn/circuit.hpp"
#include "rxnn/device.hpp"
#include "rxnn/gpu.hpp"
#include "tests/crossbar/crossbar_problem.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

std::vector<double> RandomCells(int count, std::mt19937& engine) {
  std::uniform_real_distribution<double> exponent(-7, -3);
  std::vector<double> g(count);
  for (double& siemens : g) siemens = std::pow(10, exponent(engine));
  return g;
}

void ExpectNear(const std::vector<double>& actual, const std::vector<double>& expected, double relative,
                const char* what) {
  ASSERT_EQ(actual.size(), expected.size());
  for (std::size_t i = 0; i < actual.size(); ++i) {
    ASSERT_NEAR(actual[i], expected[i], relative * std::fabs(expected[i]) + tolerance::kConductanceFloor)
        << what << ", entry " << i;
  }
}

// Every shape, each resistance also 0, tiny and large, segments that differ, and the ends that the GPU knows.
TEST(GpuExtraction, EqualsTheCpuAndNodalAnalysis) {
  std::mt19937 engine(31);
  const auto pick = [&engine](int most) { return std::uniform_int_distribution<int>(0, most)(engine); };
  const double ohms[] = {0, 1e-3, 2.5, 100, 1e6};
  int solved = 0;
  for (int i = 0; i < 40; ++i) {
    const int rows = 1 + pick(i % 4 == 0 ? 33 : 11), cols = 1 + pick(i % 4 == 1 ? 35 : 11);
    WireResistances wires{ohms[pick(4)], ohms[pick(4)], ohms[pick(3)], ohms[pick(3)]};
    if (i % 5 == 1) {
      for (int j = 0; j + 1 < cols; ++j) wires.wordline_segments_ohm.push_back(ohms[pick(3)]);
    }
    if (i % 3 == 0) wires.bitline_sensed = pick(1) == 0 ? LineEnds::kBoth : LineEnds::kAlternating;
    if (i % 3 == 1) wires.wordline_driven = pick(1) == 0 ? LineEnds::kBoth : LineEnds::kAlternating;
    const int count = 1 + pick(4);
    const std::vector<double> g = RandomCells(count * rows * cols, engine);
    std::vector<double> actual(g.size()), expected(g.size());
    try {
      GpuEquivalentConductance(g.data(), count, rows, cols, wires, actual.data());
    } catch (const GpuUnsupported& refusal) {
      EXPECT_NE(std::string(refusal.what()).find("wordline_driven"), std::string::npos);
      continue;
    }
    ++solved;
    EquivalentConductanceBatch(g.data(), count, rows, cols, wires, expected.data());
    ExpectNear(actual, expected, tolerance::kPositiveRelative, "CPU");
    std::vector<double> truth(rows * cols);
    EquivalentConductanceReference(g.data(), rows, cols, wires, truth.data());
    actual.resize(truth.size());
    ExpectNear(actual, truth, tolerance::kConductanceRelative, "nodal analysis");
  }
  EXPECT_GT(solved, 24);
}

TEST(GpuExtraction, SolvesAWholeArray) {
  std::mt19937 engine(32);
  const std::vector<double> g = RandomCells(64 * 64, engine);
  std::vector<double> actual(g.size()), expected(g.size());
  const WireResistances wires{500, 100, 2.5, 2.5};
  GpuEquivalentConductance(g.data(), 1, 64, 64, wires, actual.data());
  EquivalentConductance(g.data(), 64, 64, wires, expected.data());
  ExpectNear(actual, expected, tolerance::kPositiveRelative, "64 x 64");
}

TEST(GpuExtraction, Refuses) {
  const std::vector<double> g(200 * 200, 1e-5);
  std::vector<double> g_eq(g.size());
  EXPECT_THROW(GpuEquivalentConductance(g.data(), 1, 200, 200, {500, 100, 2.5, 2.5}, g_eq.data()), GpuUnsupported);
  WireResistances both{500, 100, 2.5, 2.5};
  both.wordline_driven = both.bitline_sensed = LineEnds::kBoth;
  EXPECT_THROW(GpuEquivalentConductance(g.data(), 1, 8, 8, both, g_eq.data()), GpuUnsupported);
  EXPECT_THROW(GpuEquivalentConductance(g.data(), 1, 8, 0, both, g_eq.data()), std::invalid_argument);
}

TEST(GpuRandom, IsPhiloxOfTheCpuBitForBit) {
  const ChipRandom random(77, "layer");
  const cuda::CellLaw law = cuda::CellLaw::Of(Hardware(), random);
  for (const std::uint64_t first : {std::uint64_t{0}, std::uint64_t{0xFFFFFF00}, std::uint64_t{1} << 40}) {
    const cuda::DeviceArray<std::uint32_t> bits(4 * 600);
    cuda::PhiloxBlocks(law, Draw::kStuck, 12345, first, 600, bits.data());
    const std::vector<std::uint32_t> drawn = bits.Values();
    for (std::uint64_t i = 0; i < 600; ++i) {
      const std::uint64_t index = first + i;
      const auto expected = Philox4x32({static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32),
                                        12345, static_cast<std::uint32_t>(Draw::kStuck)},
                                       random.key());
      for (int word = 0; word < 4; ++word) ASSERT_EQ(drawn[4 * i + word], expected[word]);
    }
  }
}

// The whole way: weights to levels. Levels are float32: what double roundings move them by is rarely seen.
TEST(GpuProgram, MakesTheSameChip) {
  std::mt19937 engine(33);
  for (int i = 0; i < 8; ++i) {
    Hardware hardware = RandomScheme(engine);
    hardware.rows = 2 + i * 2;
    hardware.cols = 18 - i;
    hardware.weight_bits = std::min(hardware.weight_bits, 5);
    hardware.cell_bits = std::min(hardware.cell_bits, hardware.weight_bits);
    if (i > 0) hardware.wires = {500, 100, 2.5, 2.5};
    hardware.seed = i;
    hardware.conductance_sigma = i % 2 == 0 ? 0 : 0.1;
    hardware.conductance_distribution = i % 4 == 1 ? Distribution::kLogNormal : Distribution::kNormal;
    if (i > 3) hardware.stuck_on_rate = hardware.stuck_off_rate = 0.05;
    if (i > 5) {
      hardware.drift_time_second = 1e4;
      hardware.drift_nu = 0.05;
      hardware.drift_nu_sigma = 0.02;
    }
    const Problem problem(hardware, 2, 23, 31, 1, false, i);
    CrossbarMatrix on_cpu(hardware, "layer", 2, 23, 31), on_gpu(hardware, "layer", 2, 23, 31);
    on_cpu.Program(problem.weights.data());
    std::int64_t done = 0;
    GpuProgram(on_gpu, problem.weights.data(), [&](std::int64_t arrays, std::int64_t) { done = arrays; });
    EXPECT_EQ(on_gpu.scales(), on_cpu.scales());
    EXPECT_GT(done, 0);
    const std::vector<float> expected = LevelsOf(on_cpu), actual = LevelsOf(on_gpu);
    // A level is what is left of g above g_off: its roundings are those of g.
    const double step = hardware.g_on() / hardware.g_step();
    for (std::size_t n = 0; n < expected.size(); ++n) {
      ASSERT_NEAR(actual[n], expected[n],
                  2 * tolerance::kFloatEps * std::fabs(expected[n]) + 100 * tolerance::kPositiveRelative * step)
          << hardware << ", level " << n;
    }
  }
}

TEST(GpuProgram, RefusesByName) {
  const auto refusal = [](const Hardware& hardware) {
    CrossbarMatrix matrix(hardware, "layer", 1, 10, 5);
    try {
      GpuProgram(matrix, std::vector<float>(50, 1.0f).data());
    } catch (const GpuUnsupported& error) {
      return std::string(error.what());
    }
    return std::string("accepted");
  };
  Hardware curved;
  curved.cell_curve = IvCurve::Kind::kSinh;
  EXPECT_NE(refusal(curved).find("cell_curve"), std::string::npos);
  Hardware gated;
  gated.cell_type = CellType::kOneTOneR;
  EXPECT_NE(refusal(gated).find("cell_type"), std::string::npos);
  Hardware broken;
  broken.faults.emplace_back();
  EXPECT_NE(refusal(broken).find("fault"), std::string::npos);
}

}  // namespace
}  // namespace rxnn
