#include "rxnn/periphery.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

TEST(DacVoltage, DividesTheReadVoltage) {
  Hardware hardware;
  hardware.dac_bits = 1;
  EXPECT_EQ(DacVoltage(hardware, 0), 0);
  EXPECT_EQ(DacVoltage(hardware, 1), 0.25);
  hardware.dac_bits = 3;
  EXPECT_EQ(DacVoltage(hardware, 7), 0.25);
  EXPECT_NEAR(DacVoltage(hardware, 2), 0.25 * 2 / 7, tolerance::kPositiveRelative);
}

TEST(CurrentUnit, IsOneLevelAtOneDacStep) {
  Hardware hardware;
  hardware.dac_bits = 2;
  EXPECT_NEAR(CurrentUnit(hardware), (1e-5 - 1e-6) / 3 * 0.25 / 3, tolerance::kPositiveRelative * 1e-6);
}

TEST(Adc, IsIdealByDefault) {
  const Adc adc;
  for (const double current : {-1e9, -0.3, 0.0, 1e-30, 7.7}) EXPECT_EQ(adc.Convert(current), current);
}

TEST(Adc, FromZeroIsTheTextbookConverter) {
  const Adc adc(3, 0, 14);  // lsb 2, codes 0 to 7
  EXPECT_EQ(adc.lsb, 2);
  EXPECT_EQ(adc.Convert(0), 0);
  EXPECT_EQ(adc.Convert(0.99), 0);
  EXPECT_EQ(adc.Convert(1.01), 2);
  EXPECT_EQ(adc.Convert(13.5), 14);
}

TEST(Adc, RoundsHalvesToEvenCodes) {
  const Adc adc(3, 0, 14);
  EXPECT_EQ(adc.Convert(1), 0);
  EXPECT_EQ(adc.Convert(3), 4);
  EXPECT_EQ(adc.Convert(5), 4);
  EXPECT_EQ(adc.Convert(7), 8);
}

TEST(Adc, Saturates) {
  const Adc adc(3, 0, 14);
  EXPECT_EQ(adc.Convert(-5), 0);
  EXPECT_EQ(adc.Convert(15.1), 14);
  EXPECT_EQ(adc.Convert(1e300), 14);
}

TEST(Adc, SymmetricIsTwosComplement) {
  const Adc adc(3, -7, 7);  // lsb 2; -3.5 rounds to code -4
  EXPECT_EQ(adc.code_min, -4);
  EXPECT_EQ(adc.code_max, 3);
  EXPECT_EQ(adc.Convert(0), 0);
  EXPECT_EQ(adc.Convert(-100), -8);
  EXPECT_EQ(adc.Convert(100), 6);
}

TEST(Adc, KeepsZeroInEveryRangeThatHoldsIt) {
  for (const auto& [min, max] : {std::pair(-0.37, 1.91), {-1e-9, 3.0}, {-2.2, 1e-9}}) {
    EXPECT_EQ(Adc(8, min, max).Convert(0), 0) << min << " to " << max;
  }
  EXPECT_LT(Adc(8, -5, -1).Convert(0), 0);
}

TEST(Adc, IsWithinHalfAStepInsideTheRange) {
  for (const int bits : {1, 4, 8, 12, 24}) {
    const Adc adc(bits, -1.3, 2.9);
    for (double current = adc.code_min * adc.lsb; current <= adc.code_max * adc.lsb; current += 0.01) {
      EXPECT_LE(std::abs(adc.Convert(current) - current), adc.lsb / 2 + tolerance::kPositiveRelative);
    }
  }
}

// Enough bits over a range of integers and the converter changes none of them.
TEST(Adc, KeepsIntegersOnItsGrid) {
  const Adc adc(10, 0, 1023);
  for (int current = 0; current <= 1023; ++current) EXPECT_EQ(adc.Convert(current), current);
}

TEST(Adc, RefusesWhatCannotBe) {
  EXPECT_THROW(Adc(0, 0, 1), HardwareError);
  EXPECT_THROW(Adc(25, 0, 1), HardwareError);
  EXPECT_THROW(Adc(8, 1, 1), HardwareError);
  EXPECT_THROW(Adc(8, 2, 1), HardwareError);
  EXPECT_THROW(Adc(8, std::nan(""), 1), HardwareError);
  EXPECT_THROW(Adc(8, 0, std::numeric_limits<double>::infinity()), HardwareError);
}

TEST(FullScale, IsTheMostAnIdealColumnCarries) {
  Hardware hardware;
  const double volts = hardware.rows * hardware.v_read_volt;
  const double unit = CurrentUnit(hardware);
  const CurrentRange range = FullScale(hardware);
  EXPECT_EQ(range.min, 0);
  EXPECT_NEAR(range.max * unit, volts * 1e-5, tolerance::kPositiveRelative);

  hardware.subtraction = Subtraction::kAnalog;
  const CurrentRange analog = FullScale(hardware);
  EXPECT_EQ(analog.min, -analog.max);
  EXPECT_NEAR(analog.max * unit, volts * 9e-6, tolerance::kPositiveRelative);

  hardware.signed_weights = SignedWeights::kOffset;  // one array, nothing to subtract
  EXPECT_EQ(FullScale(hardware).min, 0);
}

}  // namespace
}  // namespace rxnn
