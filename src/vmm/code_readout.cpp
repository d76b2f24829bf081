#include "vmm/code_readout.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace rxnn {
namespace {

std::int32_t Bits(float value) {
  std::int32_t bits;
  std::memcpy(&bits, &value, sizeof(bits));
  return bits;
}

float MulAdd(float a, float b, float c, bool fused) { return fused ? std::fma(a, b, c) : a * b + c; }

}  // namespace

std::optional<CodeReadout> CodeReadout::Make(const Readout& readout, const CurrentRange& possible,
                                             double largest_share) {
  // A bound is kept this far from the border between two codes: rounding moves a current by far less.
  constexpr double kMargin = 0.25;
  const Adc& adc = readout.adc;
  const double largest_code = std::max(std::fabs(adc.code_min), std::fabs(adc.code_max));
  if (adc.bits == 0 || adc.bits > 16 || largest_code > kLargestCode) return std::nullopt;

  CodeReadout codes;
  codes.whole_levels = readout.whole_levels;
  codes.per_lsb = static_cast<float>(1 / adc.lsb);
  codes.lsb = static_cast<float>(adc.lsb);
  codes.low = static_cast<float>(kMagic + adc.code_min);
  codes.high = static_cast<float>(kMagic + adc.code_max);
  codes.clamps =
      !(possible.min / adc.lsb >= adc.code_min - kMargin && possible.max / adc.lsb <= adc.code_max + kMargin);
  codes.unit = codes.whole_levels ? 1 : adc.lsb;
  // A share is that of a sum of digits, never negative.
  codes.least = codes.whole_levels ? std::floor(adc.code_min * adc.lsb - largest_share) : adc.code_min;
  codes.most = codes.whole_levels ? std::ceil(adc.code_max * adc.lsb) : adc.code_max;
  if (codes.least < -kLargestCode || codes.most > kLargestCode) return std::nullopt;
  const double fused_magic = std::nearbyint(static_cast<double>(kMagic) * codes.lsb);
  if (codes.whole_levels && fused_magic - 2 * kLargestCode > (1 << 23) && fused_magic + 2 * kLargestCode < (1 << 24)) {
    codes.fused_magic = static_cast<float>(fused_magic);
    const auto word = static_cast<std::int16_t>(Bits(codes.fused_magic) & 0xFFFF);
    if (word + codes.least <= INT16_MIN || word + codes.most >= INT16_MAX) codes.fused_magic = 0;
  }
  return codes;
}

CodeReadout::Shares CodeReadout::SharesOf(double share) const {
  Shares shares;
  shares.in_codes = static_cast<float>(share * per_lsb);
  shares.levels = static_cast<float>(share);
  shares.fused = static_cast<float>(fused_magic - static_cast<double>(kMagic) * lsb - share);
  return shares;
}

std::int32_t CodeReadout::Value(float current, double share, bool fused) const {
  const Shares shares = SharesOf(share);
  float t = MulAdd(per_lsb, current, shares.in_codes, fused) + kMagic;
  if (clamps) t = std::min(std::max(t, low), high);
  if (!whole_levels) return Bits(t) - Bits(kMagic);
  if (fused && fused_magic != 0) return Bits(std::fma(t, lsb, shares.fused)) - Bits(fused_magic);
  return Bits(MulAdd(t - kMagic, lsb, -shares.levels, fused) + kMagic) - Bits(kMagic);
}

bool CodeReadout::ProvenFor(const Readout& readout, double off_level, int digits, int low, int high) const {
  constexpr double kMost = 1 << 20;
  const int first_sum = off_level == 0 ? digits : 0;  // without a share one sum of digits is like any other
  const double width = static_cast<double>(high - low) * (off_level == 0 ? 1 : 0.5 * (digits + 1)) + 1;
  if (width * digits > kMost) return false;
  for (int sum = first_sum; sum <= digits; ++sum) {
    const double share = off_level * sum;
    for (int current = sum * low; current <= sum * high; ++current) {
      const double levels = readout.Apply(current, share);
      const auto expected =
          static_cast<std::int32_t>(std::nearbyint(whole_levels ? levels : (levels + share) / readout.adc.lsb));
      if (Value(static_cast<float>(current), share, true) != expected) return false;
      if (Value(static_cast<float>(current), share, false) != expected) return false;
    }
  }
  return true;
}

}  // namespace rxnn
