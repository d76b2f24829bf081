#include "periphery/adc_bank.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

// Three bits over 0 .. 14, so that an lsb is 2.
struct Bank {
  Hardware hardware;
  ChipRandom random{1, "layer"};
  Adc ideal{3, 0, 14};

  explicit Bank(const std::function<void(AdcFlaws&)>& set) {
    hardware.adc_bits = 3;
    set(hardware.adc_flaws);
  }
  double Convert(double current, double normal = 0, int col = 0, ConversionCounts* counts = nullptr) const {
    ConversionCounts unused;
    const AdcBank bank(hardware, ideal, random);
    return bank.Convert(bank.MakeColumn(4, col), current, normal, counts == nullptr ? &unused : counts);
  }
};

TEST(AdcBank, IsTheIdealConverterWithoutFlaws) {
  const Bank bank([](AdcFlaws&) {});
  for (double current = -5; current < 20; current += 0.25)
    EXPECT_EQ(bank.Convert(current), bank.ideal.Convert(current));
}

TEST(AdcBank, PassesCurrentsWithoutBits) {
  Bank bank([](AdcFlaws&) {});
  bank.ideal = Adc();
  EXPECT_EQ(bank.Convert(3.21), 3.21);
}

TEST(AdcBank, HasGainAndOffset) {
  const Bank gain([](AdcFlaws& flaws) { flaws.gain_error = 0.25; });
  EXPECT_EQ(gain.Convert(8), 10);  // 4 lsb become 5
  const Bank offset([](AdcFlaws& flaws) { flaws.offset_lsb = -1; });
  EXPECT_EQ(offset.Convert(8), 6);
  const Bank both([](AdcFlaws& flaws) { flaws.gain_error = 0.25, flaws.offset_lsb = -1; });
  EXPECT_EQ(both.Convert(8), 8);
}

TEST(AdcBank, HasNoiseInSteps) {
  const Bank bank([](AdcFlaws& flaws) { flaws.noise_sigma_lsb = 0.5; });
  EXPECT_EQ(bank.Convert(8, 2), 10);
  EXPECT_EQ(bank.Convert(8, -2), 6);
  EXPECT_EQ(bank.Convert(8, 0.9), 8);
}

TEST(AdcBank, BendsItsRange) {
  const Bank polynomial([](AdcFlaws& flaws) { flaws.polynomial = {0, 0, 1}; });  // x^2
  for (double current = 0; current <= 14; current += 0.3) {
    EXPECT_EQ(polynomial.Convert(current), 2 * std::nearbyint(7 * std::pow(current / 14, 2))) << current;
  }
  EXPECT_EQ(polynomial.Convert(-1), 0);
  EXPECT_EQ(polynomial.Convert(20), 14);
  const Bank bow([](AdcFlaws& flaws) { flaws.inl_lsb = 1.5; });
  for (double current = 0; current <= 14; current += 0.3) {
    const double x = current / 14;
    EXPECT_EQ(bow.Convert(current), 2 * std::min(7.0, std::nearbyint(7 * x + 6 * x * (1 - x)))) << current;
  }
}

TEST(AdcBank, FollowsItsTransitions) {
  const Bank bank([](AdcFlaws& flaws) { flaws.transition_lsb = {0.3, 1.5, 2.9, 3.0, 4.5, 5.5, 6.9}; });
  const auto code = [&](double lsb) { return bank.Convert(2 * lsb) / 2; };
  EXPECT_EQ(code(-1), 0);
  EXPECT_EQ(code(0.29), 0);
  EXPECT_EQ(code(0.31), 1);
  EXPECT_EQ(code(2.89), 2);
  EXPECT_EQ(code(2.95), 3);
  EXPECT_EQ(code(3.1), 4);
  EXPECT_EQ(code(6.8), 6);
  EXPECT_EQ(code(7), 7);
  EXPECT_EQ(code(9), 7);
}

// A range that begins below 0: transitions count from the lowest code.
TEST(AdcBank, CountsTransitionsFromTheLowestCode) {
  Bank bank([](AdcFlaws& flaws) { flaws.transition_lsb = {0.5, 1.5, 2.5, 3.5, 4.5, 5.9, 6.5}; });
  bank.ideal = Adc(3, -7, 7);  // codes -4 to 3, lsb 2
  EXPECT_EQ(bank.Convert(0), 0);
  EXPECT_EQ(bank.Convert(2 * 1.7), 2);  // 5.7 above the lowest code: below the transition to 6
  EXPECT_EQ(bank.Convert(2 * 1.95), 4);
}

TEST(AdcBank, VariesGainAndOffsetFromColumnToColumn) {
  Hardware hardware;
  hardware.adc_flaws.gain_sigma = 0.1;
  hardware.adc_flaws.offset_sigma_lsb = 0.4;
  const ChipRandom random(1, "layer");
  const AdcBank bank(hardware, Adc(8, 0, 255), random);
  constexpr int kColumns = 20'000;
  double gains = 0, offsets = 0, products = 0;
  for (int col = 0; col < kColumns; ++col) {
    const AdcBank::Column column = bank.MakeColumn(3, col);
    gains += std::pow(column.gain - 1, 2);
    offsets += std::pow(column.offset_lsb, 2);
    products += (column.gain - 1) * column.offset_lsb;
  }
  const double slack = std::sqrt(2.0) * tolerance::Correlation(kColumns);
  EXPECT_NEAR(gains / kColumns, 0.01, 0.01 * slack);
  EXPECT_NEAR(offsets / kColumns, 0.16, 0.16 * slack);
  EXPECT_LT(std::fabs(products) / kColumns / 0.04, tolerance::Correlation(kColumns));
  EXPECT_NE(bank.MakeColumn(3, 5).gain, bank.MakeColumn(4, 5).gain);
  EXPECT_EQ(bank.MakeColumn(3, 5).gain, bank.MakeColumn(3, 5).gain);
}

// The width of code 100, found by scanning, over many columns.
TEST(AdcBank, VariesWidthsOfCodes) {
  Hardware hardware;
  hardware.adc_flaws.dnl_sigma_lsb = 0.2;
  const ChipRandom random(1, "layer");
  const AdcBank bank(hardware, Adc(8, 0, 255), random);
  constexpr int kColumns = 2000;
  constexpr double kStep = 1.0 / 128;
  double sum = 0, squares = 0;
  ConversionCounts counts;
  for (int col = 0; col < kColumns; ++col) {
    const AdcBank::Column column = bank.MakeColumn(3, col);
    double width = 0;
    for (double x = 97; x < 103; x += kStep) width += bank.Convert(column, x, 0, &counts) == 100 ? kStep : 0;
    sum += width - 1;
    squares += std::pow(width - 1, 2);
  }
  EXPECT_NEAR(sum / kColumns, 0, 0.2 * tolerance::Correlation(kColumns) + kStep);
  EXPECT_NEAR(squares / kColumns, 0.04, 0.04 * std::sqrt(2.0) * tolerance::Correlation(kColumns) + kStep * kStep);
}

TEST(AdcBank, StaysMonotonousForSmallDnl) {
  const Bank bank([](AdcFlaws& flaws) { flaws.dnl_sigma_lsb = 0.3; });
  for (int col = 0; col < 50; ++col) {
    double last = 0;
    for (double current = -1; current < 16; current += 0.05) {
      const double value = bank.Convert(current, 0, col);
      EXPECT_GE(value, last);
      EXPECT_LE(value, 14);
      last = value;
    }
    EXPECT_EQ(last, 14);
  }
}

// A read of many columns is each of them by itself, whatever bends them.
TEST(AdcBank, ConvertsReadsAsItConvertsCurrents) {
  const std::vector<std::function<void(AdcFlaws&)>> flaws{
      [](AdcFlaws& f) { f.gain_sigma = 0.1, f.offset_sigma_lsb = 0.5; },
      [](AdcFlaws& f) { f.noise_sigma_lsb = 0.7, f.gain_error = 0.2; },
      [](AdcFlaws& f) { f.inl_lsb = 1, f.gain_sigma = 0.1; },
      [](AdcFlaws& f) { f.dnl_sigma_lsb = 0.3; },
  };
  for (const auto& set : flaws) {
    Hardware hardware;
    set(hardware.adc_flaws);
    const ChipRandom random(1, "layer");
    const AdcBank bank(hardware, Adc(5, -10, 30), random);
    const AdcBank::Columns columns = bank.MakeColumns(7, 3, 40);
    std::vector<double> currents(40), normals(40);
    for (int j = 0; j < 40; ++j) {
      currents[j] = 1.7 * j - 20;
      normals[j] = std::sin(j);
    }
    for (const bool whole : {false, true}) {
      std::vector<double> sums(40, 5.0);
      ConversionCounts counts, expected;
      bank.ConvertRead(columns, currents.data(), 0.3, normals.data(), -4, whole, sums.data(), &counts);
      for (int j = 0; j < 40; ++j) {
        const double levels = bank.Convert(bank.MakeColumn(7, 3 + j), currents[j] + 0.3, normals[j], &expected) - 0.3;
        EXPECT_EQ(sums[j], 5 - 4 * (whole ? std::nearbyint(levels) : levels));
      }
      EXPECT_EQ(counts.low, expected.low);
      EXPECT_EQ(counts.high, expected.high);
      EXPECT_GT(counts.low, 0);
      EXPECT_GT(counts.high, 0);
    }
  }
}

TEST(AdcBank, CountsWhatLiesOutsideItsRange) {
  const Bank bank([](AdcFlaws& flaws) { flaws.offset_lsb = 1; });
  ConversionCounts counts;
  for (const double current : {-4.0, -3.5, -2.0, 0.0, 12.0, 12.9, 13.5, 14.0}) bank.Convert(current, 0, 0, &counts);
  EXPECT_EQ(counts.low, 2);   // below -3, which is -0.5 lsb after the offset
  EXPECT_EQ(counts.high, 2);  // above 13
}

}  // namespace
}  // namespace rxnn
