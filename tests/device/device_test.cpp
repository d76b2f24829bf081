#include "rxnn/device.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdint>
#include <vector>

#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

constexpr int kCells = 40'000;

std::vector<std::uint16_t> Digits(int count, int levels) {
  std::vector<std::uint16_t> digits(count);
  for (int i = 0; i < count; ++i) digits[i] = static_cast<std::uint16_t>(i % levels);
  return digits;
}

TEST(NominalConductance, GoesFromOffToOnInEqualSteps) {
  Hardware hardware;
  hardware.cell_bits = 3;
  EXPECT_EQ(NominalConductance(hardware, 0), 1e-6);
  EXPECT_NEAR(NominalConductance(hardware, 7), 1e-5, tolerance::kPositiveRelative * 1e-5);
  for (int digit = 0; digit < 8; ++digit) {
    const double expected = 1e-6 + digit * 9e-6 / 7;
    EXPECT_NEAR(NominalConductance(hardware, digit), expected, tolerance::kPositiveRelative * expected);
  }
}

TEST(ProgramCells, IsNominalOnAnIdealDevice) {
  const Hardware hardware;
  const auto digits = Digits(100, 4);
  const auto g = ProgramCells(hardware, ChipRandom(1, "layer"), 0, digits);
  for (size_t i = 0; i < g.size(); ++i) EXPECT_EQ(g[i], NominalConductance(hardware, digits[i]));
}

// Mean and deviation of f(g / nominal) over many cells are those of the law.
template <typename Transform>
void ExpectMoments(const Hardware& hardware, const Transform& f) {
  const auto digits = Digits(kCells, 4);
  const auto g = ProgramCells(hardware, ChipRandom(1, "layer"), 2, digits);
  double sum = 0, squares = 0;
  for (int i = 0; i < kCells; ++i) {
    const double n = f(g[i] / NominalConductance(hardware, digits[i])) / hardware.conductance_sigma;
    sum += n;
    squares += n * n;
  }
  EXPECT_NEAR(sum / kCells, 0, tolerance::Correlation(kCells));
  EXPECT_NEAR(squares / kCells, 1, std::sqrt(2.0) * tolerance::Correlation(kCells));
}

TEST(ProgramCells, VariesByTheNormalLaw) {
  Hardware hardware;
  hardware.conductance_sigma = 0.1;  // ten sigma from being clipped
  ExpectMoments(hardware, [](double ratio) { return ratio - 1; });
}

TEST(ProgramCells, VariesByTheLogNormalLaw) {
  Hardware hardware;
  hardware.conductance_sigma = 0.5;
  hardware.conductance_distribution = Distribution::kLogNormal;
  ExpectMoments(hardware, [](double ratio) { return std::log(ratio); });
}

TEST(ProgramCells, NeverGoesBelowZero) {
  Hardware hardware;
  hardware.conductance_sigma = 2;  // a third of the cells would
  int zeros = 0;
  for (const double g : ProgramCells(hardware, ChipRandom(1, "layer"), 0, Digits(kCells, 4))) {
    EXPECT_GE(g, 0);
    zeros += g == 0;
  }
  const double expected = 0.5 * std::erfc(0.5 / std::sqrt(2.0));
  EXPECT_NEAR(static_cast<double>(zeros) / kCells, expected, tolerance::Correlation(kCells));
}

TEST(ProgramCells, SticksTheGivenShares) {
  Hardware hardware;
  hardware.conductance_sigma = 0.05;
  hardware.stuck_on_rate = 0.1;
  hardware.stuck_off_rate = 0.3;
  int on = 0, off = 0;
  for (const double g : ProgramCells(hardware, ChipRandom(1, "layer"), 0, Digits(kCells, 4))) {
    on += g == hardware.g_on();
    off += g == hardware.g_off();
  }
  EXPECT_NEAR(static_cast<double>(on) / kCells, 0.1, tolerance::Correlation(kCells));
  EXPECT_NEAR(static_cast<double>(off) / kCells, 0.3, tolerance::Correlation(kCells));
}

// The cells that stick are the same whatever is programmed, and more of them stick at a higher rate.
TEST(ProgramCells, SticksTheSameCellsWhateverTheDigits) {
  Hardware hardware;
  hardware.conductance_sigma = 0.05;
  hardware.stuck_on_rate = 0.1;
  const ChipRandom random(1, "layer");
  const auto some = ProgramCells(hardware, random, 0, Digits(1000, 4));
  const auto other = ProgramCells(hardware, random, 0, Digits(1000, 3));
  hardware.stuck_on_rate = 0.2;
  const auto more = ProgramCells(hardware, random, 0, Digits(1000, 4));
  int stuck = 0;
  for (size_t i = 0; i < some.size(); ++i) {
    const bool on = some[i] == hardware.g_on();
    EXPECT_EQ(on, other[i] == hardware.g_on());
    if (on) {
      EXPECT_EQ(more[i], hardware.g_on());
    }
    stuck += on;
  }
  EXPECT_GT(stuck, 0);
}

TEST(ProgramCells, TakesLevelsFromATable) {
  Hardware hardware;
  hardware.level_siemens = {2e-6, 3e-6, 7e-6, 2e-5};
  const auto digits = Digits(100, 4);
  const auto g = ProgramCells(hardware, ChipRandom(1, "layer"), 0, digits);
  for (size_t i = 0; i < g.size(); ++i) EXPECT_EQ(g[i], hardware.level_siemens[digits[i]]);
  EXPECT_EQ(hardware.g_off(), 2e-6);
  EXPECT_EQ(hardware.g_on(), 2e-5);
}

// Every level has the deviation of its own, in one column of the table as in the other.
TEST(ProgramCells, VariesEachLevelByItsSigma) {
  Hardware hardware;
  hardware.level_sigma = {0.2, 0, 0.05, 0.1};
  const auto digits = Digits(4 * kCells, 4);
  const auto g = ProgramCells(hardware, ChipRandom(1, "layer"), 2, digits);
  for (int level = 0; level < 4; ++level) {
    double squares = 0;
    for (int i = level; i < 4 * kCells; i += 4) squares += std::pow(g[i] / NominalConductance(hardware, level) - 1, 2);
    const double variance = hardware.level_sigma[level] * hardware.level_sigma[level];
    EXPECT_NEAR(squares / kCells, variance, variance * std::sqrt(2.0) * tolerance::Correlation(kCells));
  }
}

// ln g falls by nu ln(t / t0), nu normal.
TEST(ProgramCells, DriftsByThePowerLaw) {
  Hardware hardware;
  hardware.drift_t0_second = 20;
  hardware.drift_time_second = 20e6;
  hardware.drift_nu = 0.05;
  const auto digits = Digits(kCells, 4);
  const double factor = std::pow(1e6, -0.05);
  for (const double g : ProgramCells(hardware, ChipRandom(1, "layer"), 0, Digits(1, 1))) {
    EXPECT_NEAR(g, hardware.g_off() * factor, tolerance::kPositiveRelative * g);
  }
  hardware.drift_nu_sigma = 0.01;  // five sigma from 0
  const auto g = ProgramCells(hardware, ChipRandom(1, "layer"), 0, digits);
  double sum = 0, squares = 0;
  for (int i = 0; i < kCells; ++i) {
    const double nu = -std::log(g[i] / NominalConductance(hardware, digits[i])) / std::log(1e6);
    const double n = (nu - hardware.drift_nu) / hardware.drift_nu_sigma;
    sum += n;
    squares += n * n;
  }
  EXPECT_NEAR(sum / kCells, 0, tolerance::Correlation(kCells));
  EXPECT_NEAR(squares / kCells, 1, std::sqrt(2.0) * tolerance::Correlation(kCells));
}

TEST(ProgramCells, NeverDriftsUpwardsAndNotAtAllWithoutTime) {
  Hardware hardware;
  hardware.drift_nu_sigma = 0.1;
  const auto digits = Digits(1000, 4);
  const ChipRandom random(1, "layer");
  const auto before = ProgramCells(hardware, random, 0, digits);
  hardware.drift_time_second = 3600;
  const auto after = ProgramCells(hardware, random, 0, digits);
  int unchanged = 0;
  for (size_t i = 0; i < digits.size(); ++i) {
    EXPECT_EQ(before[i], NominalConductance(hardware, digits[i]));
    EXPECT_LE(after[i], before[i]);
    unchanged += after[i] == before[i];
  }
  EXPECT_NEAR(unchanged / 1000.0, 0.5, tolerance::Correlation(1000));  // nu below 0 is 0
}

TEST(ProgramCells, LeavesStuckCellsUndrifted) {
  Hardware hardware;
  hardware.stuck_on_rate = 1;
  hardware.drift_nu = 0.1;
  hardware.drift_time_second = 1e3;
  for (const double g : ProgramCells(hardware, ChipRandom(1, "layer"), 0, Digits(10, 4))) EXPECT_EQ(g, hardware.g_on());
}

TEST(FaultMap, SetsCellsLinesAndArrays) {
  Hardware hardware;
  hardware.rows = 3;
  hardware.cols = 2;
  hardware.faults = {
      {"", -1, 1, 0, 7},       // one cell of every array
      {"conv1", 4, -1, 1, 8},  // a bit line of one array
      {"conv1", 4, 2, -1, 9},  // a word line of it, over the bit line
      {"conv2", -1, -1, -1, 5},
  };
  const auto applied = [&](const char* layer, std::uint32_t array) {
    std::vector<double> g(6, 1);
    FaultMap(hardware, layer).Apply(array, g.data());
    return g;
  };
  EXPECT_EQ(applied("conv1", 0), (std::vector<double>{1, 1, 7, 1, 1, 1}));
  EXPECT_EQ(applied("conv1", 4), (std::vector<double>{1, 8, 7, 8, 9, 9}));
  EXPECT_EQ(applied("conv2", 4), (std::vector<double>{5, 5, 5, 5, 5, 5}));
  EXPECT_EQ(applied("conv3", 4), (std::vector<double>{1, 1, 7, 1, 1, 1}));
  EXPECT_EQ(FaultMap(hardware, "conv1").largest_array(), 4);
  EXPECT_EQ(FaultMap(hardware, "conv2").largest_array(), -1);
}

TEST(FaultMap, LetsTheLastFaultCount) {
  Hardware hardware;
  hardware.rows = hardware.cols = 1;
  hardware.faults = {{"", 3, 0, 0, 1}, {"", -1, 0, 0, 2}, {"", 3, -1, -1, 3}, {"", 2, 0, 0, 4}};
  double g = 0;
  FaultMap(hardware, "layer").Apply(3, &g);
  EXPECT_EQ(g, 3);
  FaultMap(hardware, "layer").Apply(2, &g);
  EXPECT_EQ(g, 4);
  FaultMap(hardware, "layer").Apply(1, &g);
  EXPECT_EQ(g, 2);
}

TEST(AddAccessTransistors, PutsThemInSeries) {
  Hardware hardware;
  hardware.rows = 3;
  hardware.cols = 2;
  hardware.r_access_on_ohm = 4e3;
  hardware.r_access_off_ohm = 1e8;
  std::vector<double> g{1e-4, 1e-5, 0, 1e-6, 1e-4, 0};
  const auto before = g;
  AddAccessTransistors(hardware, 2, g.data());
  EXPECT_EQ(g, before);  // 1R
  hardware.cell_type = CellType::kOneTOneR;
  AddAccessTransistors(hardware, 2, g.data());
  for (size_t i = 0; i < g.size(); ++i) {
    const double expected = before[i] == 0 ? 0 : 1 / (1 / before[i] + (i < 4 ? 4e3 : 1e8));
    EXPECT_NEAR(g[i], expected, tolerance::kPositiveRelative * expected);
  }
}

TEST(ProgramCells, DiffersFromArrayToArray) {
  Hardware hardware;
  hardware.conductance_sigma = 0.1;
  const ChipRandom random(1, "layer");
  EXPECT_NE(ProgramCells(hardware, random, 0, Digits(10, 4)), ProgramCells(hardware, random, 1, Digits(10, 4)));
}

}  // namespace
}  // namespace rxnn
