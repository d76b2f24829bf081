#include "periphery/dac_bank.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <vector>

#include "rxnn/periphery.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

Hardware ThreeBits() {
  Hardware hardware;
  hardware.dac_bits = 3;
  hardware.v_read_volt = 0.7;  // 0.1 V a step
  return hardware;
}

std::vector<double> Volts(const Hardware& hardware) {
  std::vector<double> volts;
  for (int digit = 0; digit < 8; ++digit) volts.push_back(DacVoltage(hardware, digit));
  return volts;
}

void ExpectVolts(const Hardware& hardware, const std::vector<double>& expected) {
  const std::vector<double> volts = Volts(hardware);
  for (int digit = 0; digit < 8; ++digit) EXPECT_NEAR(volts[digit], expected[digit], 1e-14) << digit;
}

TEST(DacVoltage, FollowsItsTable) {
  Hardware hardware = ThreeBits();
  hardware.dac_flaws.volt = {0, 0.11, 0.19, 0.3, 0.42, 0.5, 0.6, 0.68};
  ExpectVolts(hardware, hardware.dac_flaws.volt);
}

TEST(DacVoltage, FollowsItsPolynomial) {
  Hardware hardware = ThreeBits();
  hardware.dac_flaws.polynomial = {0, 0.9, 0.2, -0.1};
  std::vector<double> expected;
  for (int d = 0; d < 8; ++d)
    expected.push_back(0.7 * (0.9 * d / 7 + 0.2 * std::pow(d / 7.0, 2) - 0.1 * std::pow(d / 7.0, 3)));
  ExpectVolts(hardware, expected);
}

TEST(DacVoltage, HasBowGainAndOffset) {
  Hardware hardware = ThreeBits();
  hardware.dac_flaws.inl_lsb = 0.5;
  hardware.dac_flaws.gain_error = -0.1;
  hardware.dac_flaws.offset_volt = 0.01;
  std::vector<double> expected;
  for (int d = 0; d < 8; ++d) expected.push_back(0.9 * 0.1 * d + 0.01 + 0.05 * 4 * d / 7.0 * (1 - d / 7.0));
  ExpectVolts(hardware, expected);
}

TEST(DacBank, PutsOutDigitsWhereItIsIdeal) {
  const Hardware hardware = ThreeBits();
  const ChipRandom random(1, "layer");
  const DacBank bank(hardware, random, 10);
  EXPECT_TRUE(bank.ideal());
  EXPECT_FALSE(bank.noisy());
  for (int digit = 0; digit < 8; ++digit) EXPECT_EQ(bank.Output(0, 3, digit), digit);
}

TEST(DacBank, CountsVoltagesInSteps) {
  Hardware hardware = ThreeBits();
  hardware.dac_flaws.offset_volt = 0.02;
  const ChipRandom random(1, "layer");
  const DacBank bank(hardware, random, 10);
  for (int digit = 0; digit < 8; ++digit) EXPECT_NEAR(bank.Output(0, 3, digit), digit + 0.2, 1e-13);
}

// Steps of different DACs vary by the sigma that is given, and a DAC is the same at every read.
TEST(DacBank, VariesStepsFromDacToDac) {
  Hardware hardware = ThreeBits();
  hardware.dac_flaws.dnl_sigma_lsb = 0.2;
  const ChipRandom random(1, "layer");
  constexpr int kRows = 20'000;
  const DacBank bank(hardware, random, kRows);
  double squares = 0;
  for (int row = 0; row < kRows; ++row) {
    const double step = bank.Output(1, row, 5) - bank.Output(1, row, 4) - 1;
    squares += step * step;
    ASSERT_EQ(bank.Output(1, row, 0), 0);
  }
  EXPECT_NEAR(squares / kRows, 0.04, 0.04 * std::sqrt(2.0) * tolerance::Correlation(kRows));
  EXPECT_EQ(bank.Output(1, 7, 5), bank.Output(1, 7, 5));
  EXPECT_EQ((std::set<double>{bank.Output(0, 7, 5), bank.Output(1, 7, 5), bank.Output(1, 8, 5)}).size(), 3u);
}

TEST(DacBank, HasNoiseOfEveryReadAndRow) {
  Hardware hardware = ThreeBits();
  hardware.dac_flaws.noise_sigma_volt = 0.03;  // 0.3 steps
  const ChipRandom random(1, "layer");
  constexpr int kRows = 20'000;
  const DacBank bank(hardware, random, kRows);
  EXPECT_TRUE(bank.noisy());
  std::vector<double> noise(kRows), part(10), other(kRows);
  bank.Noise(0, 5, 8, 3, 0, kRows, noise.data());
  double squares = 0;
  for (const double n : noise) squares += n * n;
  EXPECT_NEAR(squares / kRows, 0.09, 0.09 * std::sqrt(2.0) * tolerance::Correlation(kRows));
  bank.Noise(0, 5, 8, 3, 100, 10, part.data());
  for (int i = 0; i < 10; ++i) EXPECT_NEAR(part[i], noise[100 + i], 1e-13);
  for (const auto& [vector, read] : {std::pair(6, 3), std::pair(5, 4)}) {
    bank.Noise(0, vector, 8, read, 0, kRows, other.data());
    double products = 0;
    for (int i = 0; i < kRows; ++i) products += noise[i] * other[i];
    EXPECT_LT(std::fabs(products) / kRows / 0.09, tolerance::Correlation(kRows));
  }
}

}  // namespace
}  // namespace rxnn
