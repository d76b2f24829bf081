// Converters whose results are whole numbers, in registers (CodeReadout). Included once per instruction set.
#include <cstddef>
#include <cstdint>

#include "vmm/code_reads.hpp"

#if defined(RXNN_VMM_CODE_CONVERT_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RXNN_VMM_CODE_CONVERT_INL_HPP
#undef RXNN_VMM_CODE_CONVERT_INL_HPP
#else
#define RXNN_VMM_CODE_CONVERT_INL_HPP
#endif

#include "vmm/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
enum class Form { kCodes, kLevels, kLevelsFused };

struct Constants {
  VF per_lsb, magic, low, high, lsb;
  // Of currents in units of `unit`, a power of two.
  explicit Constants(const CodeReadout& readout, float unit = 1)
      : per_lsb(hn::Set(F(), readout.per_lsb * unit)),
        magic(hn::Set(F(), CodeReadout::kMagic)),
        low(hn::Set(F(), readout.low)),
        high(hn::Set(F(), readout.high)),
        lsb(hn::Set(F(), readout.lsb)) {}
};

// How many codes of every lane were below and above the range.
struct SaturatedLanes {
  VI low, high;
  SaturatedLanes() : low(hn::Zero(I())), high(hn::Zero(I())) {}

  HWY_INLINE void Count(VF t, const Constants& c) {
    const I di;
    const VI one = hn::Set(di, 1);
    low = hn::IfThenElse(hn::RebindMask(di, hn::Lt(t, c.low)), hn::Add(low, one), low);
    high = hn::IfThenElse(hn::RebindMask(di, hn::Gt(t, c.high)), hn::Add(high, one), high);
  }
  // Adds the lanes of the columns from `col` on that are in use.
  HWY_INLINE void AddTo(const CodeReads& reads, size_t col) const {
    const I d;
    const size_t used = static_cast<size_t>(reads.used_cols);
    const auto in_use = hn::FirstN(d, used > col ? used - col : 0);
    reads.counts->low += hn::GetLane(hn::SumOfLanes(d, hn::IfThenElseZero(in_use, low)));
    reads.counts->high += hn::GetLane(hn::SumOfLanes(d, hn::IfThenElseZero(in_use, high)));
  }
};

// kMagic and the code of a current, not clamped. kShared: x holds its share of g_off.
template <bool kShared>
HWY_INLINE VF CodeOf(VF x, const CodeReadout::Shares& shares, const Constants& c) {
  const F d;
  if (kShared) {
    return HWY_NATIVE_FMA ? hn::MulAdd(c.per_lsb, x, c.magic) : hn::Add(hn::Mul(c.per_lsb, x), c.magic);
  }
  return hn::Add(hn::MulAdd(c.per_lsb, x, hn::Set(d, shares.in_codes)), c.magic);
}

// The bits of a float whose low ones hold n; those of n = 0 are ZeroBits.
template <Form kForm>
HWY_INLINE VI BitsOf(VF t, const CodeReadout::Shares& shares, const Constants& c) {
  const F d;
  if (kForm == Form::kLevels) {
    t = hn::Add(hn::MulSub(hn::Sub(t, c.magic), c.lsb, hn::Set(d, shares.levels)), c.magic);
  }
  if (kForm == Form::kLevelsFused) t = hn::MulAdd(t, c.lsb, hn::Set(d, shares.fused));
  return hn::BitCast(I(), t);
}

// BitsOf of a current. Where the readout clamps, counts.
template <Form kForm, bool kShared>
HWY_INLINE VI Convert(VF x, const CodeReadout::Shares& shares, const Constants& c, bool clamps,
                      SaturatedLanes& saturated) {
  VF t = CodeOf<kShared>(x, shares, c);
  if (clamps) {
    const VF inside = hn::Min(hn::Max(t, c.low), c.high);
    if (HWY_UNLIKELY(!hn::AllTrue(F(), hn::Eq(inside, t)))) saturated.Count(t, c);
    t = inside;
  }
  return BitsOf<kForm>(t, shares, c);
}

template <Form kForm>
HWY_INLINE int32_t ZeroBits(const CodeReadout& readout) {
  const float zero = kForm == Form::kLevelsFused ? readout.fused_magic : CodeReadout::kMagic;
  int32_t bits;
  hwy::CopyBytes<sizeof(bits)>(&zero, &bits);
  return bits;
}

// What `streams` times ZeroBits add up to under shift-and-add, modulo 2^32.
HWY_INLINE uint32_t SummedZeros(int32_t zero_bits, size_t streams, int dac_bits) {
  uint32_t sum = 0;
  for (size_t s = 0; s < streams; ++s) sum = (sum << dac_bits) + static_cast<uint32_t>(zero_bits);
  return sum;
}

// sums += +-2^shift (total - zeros).
HWY_INLINE void AddTotal(VI total, VI zeros, int shift, bool negative, int32_t* HWY_RESTRICT sums) {
  const I di;
  const VI term = hn::ShiftLeftSame(hn::Sub(total, zeros), shift);
  const VI sum = hn::LoadU(di, sums);
  hn::StoreU(negative ? hn::Sub(sum, term) : hn::Add(sum, term), di, sums);
}

HWY_INLINE Form FormOf(const CodeReadout& readout) {
  if (!readout.whole_levels) return Form::kCodes;
  return HWY_NATIVE_FMA && readout.fused_magic != 0 ? Form::kLevelsFused : Form::kLevels;
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
