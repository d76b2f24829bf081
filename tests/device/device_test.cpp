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

TEST(ProgramCells, DiffersFromArrayToArray) {
  Hardware hardware;
  hardware.conductance_sigma = 0.1;
  const ChipRandom random(1, "layer");
  EXPECT_NE(ProgramCells(hardware, random, 0, Digits(10, 4)), ProgramCells(hardware, random, 1, Digits(10, 4)));
}

}  // namespace
}  // namespace rxnn
