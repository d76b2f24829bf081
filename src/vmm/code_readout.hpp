// A converter whose results are whole numbers, in float32: what lets shift-and-add run in integers.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/vmm.hpp"

namespace rxnn {

// A Readout as a few float32 operations. For a current x and the `share` of it that is due to g_off it gives a whole
// number n; Readout::Apply(x, share) is
//   n unit - share   where levels are not whole: n is the converter's code, unit its lsb;
//   n                where they are (Readout::whole_levels): n counts levels, unit is 1.
// With y = per_lsb x + per_lsb share, t = y + kMagic is y rounded to the nearest integer, half to even: neighbouring
// floats at kMagic are 1 apart. The low bits of a float t hold the integer t - kMagic.
struct CodeReadout {
  static constexpr float kMagic = 16777216.0f - 196608.0f;  // 2^24 - 3 2^16
  static constexpr double kLargestCode = 65536;             // kMagic +- this are floats 1 apart

  bool whole_levels = false;
  bool clamps = false;  // some current may saturate the converter
  float per_lsb = 0;    // 1 / lsb
  float lsb = 0;
  float low = 0;   // kMagic + the smallest code
  float high = 0;  // kMagic + the largest code
  double unit = 0;
  double least = 0;  // n is at least this
  double most = 0;   // and at most this
  // Whole levels in one fused operation: t lsb + (fused_magic - kMagic lsb - share) is a float near fused_magic, so
  // product, subtraction and the second rounding are one. Needs an lsb near 1, and the low words of the results as
  // signed 16-bit numbers in a row, which some kernels multiply; 0 where it has none.
  float fused_magic = 0;

  // `possible`: bounds of current + share; `largest_share`: of |share|. Empty where codes are too many or too far from
  // 0 for float32: more than 16 bits, or a range far from zero current.
  static std::optional<CodeReadout> Make(const Readout& readout, const CurrentRange& possible, double largest_share);

  // What the kernels need to know of one read of one vector.
  struct Shares {
    float in_codes = 0;  // share / lsb
    float levels = 0;    // share
    float fused = 0;     // the bracket above
    float unused = 0;
  };
  Shares SharesOf(double share) const;

  // n as the kernels compute it, with fused operations or without.
  std::int32_t Value(float current, double share, bool fused) const;

  // True if Value is that of the readout, `share` = off_level times the sum of digits, for every whole sum of digits up
  // to `digits` and every whole current from sum * low to sum * high: the proof, by exhaustion, that whole levels make
  // codes like those of the reference, ties included. False also where that would be too many to look at.
  bool ProvenFor(const Readout& readout, double off_level, int digits, int low, int high) const;
};

}  // namespace rxnn
