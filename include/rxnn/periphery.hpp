// The converters at the edge of an array.
#pragma once

#include <cstdint>

#include "rxnn/hardware.hpp"

namespace rxnn {

// Currents in the core are counted in units of one level at one DAC step:
//   unit = g_step * v_read / (2^dac_bits - 1), ampere.
// In these units an ideal column carries sum_i d_i (D_ij + g_off / g_step): integers plus the share of g_off.
double CurrentUnit(const Hardware& hardware);

// One step of an ideal DAC: v_read / (2^dac_bits - 1), volt.
double DacStep(const Hardware& hardware);

// What all DACs make of digit d, volt: d DacStep where they are ideal, else
//   (1 + gain error) curve(d) + INL bow + offset,
// the curve a table, a polynomial or ideal (docs/physics.md, "Converters"). What differs from DAC to DAC and from read
// to read comes on top.
double DacVoltage(const Hardware& hardware, int digit);

// An output converter, currents in any one unit. The code grid passes through zero current, as an auto-zeroed
// converter's does: lsb = (max - min) / (2^bits - 1), codes from q_min = round(min / lsb) to q_min + 2^bits - 1,
//   code = clamp(round_half_to_even(current * (1 / lsb)), q_min, q_max),   current' = code * lsb.
// For min = 0 that is the textbook converter; for min = -max its codes are two's complement.
struct Adc {
  int bits = 0;  // 0: ideal, Convert returns its argument
  double lsb = 0;
  double code_min = 0;
  double code_max = 0;

  Adc() = default;
  // `bits` in 1..24, max > min; throws HardwareError otherwise.
  Adc(int bits, double min, double max);

  double Convert(double current) const;
};

// Smallest and largest current of the FULL_SCALE range in units of CurrentUnit: 0 to rows g_on v_read; for ANALOG
// subtraction plus and minus rows (g_on - g_off) v_read.
struct CurrentRange {
  double min = 0;
  double max = 0;
};
CurrentRange FullScale(const Hardware& hardware);

// How many currents were converted, and how many of them lay below or above the range of their converter.
struct ConversionCounts {
  std::int64_t conversions = 0;
  std::int64_t low = 0;
  std::int64_t high = 0;

  void Add(const ConversionCounts& other) {
    conversions += other.conversions;
    low += other.low;
    high += other.high;
  }
};

}  // namespace rxnn
