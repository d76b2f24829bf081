// One source, compiled by Highway once for every instruction set of the processor family; the best one that the machine
// has is chosen at run time. Only plain arrays in here.
#include "mapping/encode_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "mapping/encode_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<double>;
using F = hn::ScalableTag<float>;
using I = hn::RebindToSigned<F>;
using U = hn::RebindToUnsigned<F>;
constexpr size_t kLanes = hn::MaxLanes(F());

void FindRangeT(const float* HWY_RESTRICT inputs, int64_t count, float* low, float* high, uint32_t* magnitude_bits) {
  const F d;
  const U du;
  const auto magnitude_mask = hn::Set(du, 0x7FFFFFFFu);
  auto lowest = hn::Zero(d);
  auto highest = hn::Zero(d);
  auto bits = hn::Zero(du);
  int64_t i = 0;
  for (; i + static_cast<int64_t>(kLanes) <= count; i += kLanes) {
    const auto x = hn::LoadU(d, inputs + i);
    lowest = hn::Min(lowest, x);
    highest = hn::Max(highest, x);
    bits = hn::Max(bits, hn::And(hn::BitCast(du, x), magnitude_mask));
  }
  *low = hn::GetLane(hn::MinOfLanes(d, lowest));
  *high = hn::GetLane(hn::MaxOfLanes(d, highest));
  *magnitude_bits = hn::GetLane(hn::MaxOfLanes(du, bits));
  for (; i < count; ++i) {
    *low = HWY_MIN(*low, inputs[i]);
    *high = HWY_MAX(*high, inputs[i]);
    uint32_t word;
    hwy::CopyBytes<sizeof(word)>(inputs + i, &word);
    *magnitude_bits = HWY_MAX(*magnitude_bits, word & 0x7FFFFFFFu);
  }
}

void FindCodeRangeT(const int32_t* HWY_RESTRICT codes, int64_t count, int32_t* low, int32_t* high) {
  const I di;
  auto lowest = hn::Zero(di);
  auto highest = hn::Zero(di);
  int64_t i = 0;
  for (; i + static_cast<int64_t>(kLanes) <= count; i += kLanes) {
    const auto code = hn::LoadU(di, codes + i);
    lowest = hn::Min(lowest, code);
    highest = hn::Max(highest, code);
  }
  *low = hn::GetLane(hn::MinOfLanes(di, lowest));
  *high = hn::GetLane(hn::MaxOfLanes(di, highest));
  for (; i < count; ++i) {
    *low = HWY_MIN(*low, codes[i]);
    *high = HWY_MAX(*high, codes[i]);
  }
}

struct Coder {
  float range;
  int32_t largest_code;

  // The definition, in double: round_half_to_even(x / range * largest_code).
  void Exact(const float* HWY_RESTRICT inputs, int32_t* HWY_RESTRICT codes) const {
    const D dd;
    const hn::Rebind<float, D> df;
    const hn::Rebind<int32_t, D> di;
    const auto divisor = hn::Set(dd, static_cast<double>(range));
    const auto limit = hn::Set(dd, static_cast<double>(largest_code));
    const auto bound = hn::Set(df, range);
    for (size_t n = 0; n < kLanes; n += hn::MaxLanes(dd)) {
      const auto x = hn::Max(hn::Min(hn::LoadU(df, inputs + n), bound), hn::Neg(bound));
      const auto code = hn::Round(hn::Mul(hn::Div(hn::PromoteTo(dd, x), divisor), limit));
      hn::StoreU(hn::DemoteTo(di, code), di, codes + n);
    }
  }

  // The same: float32 rounds like the definition unless it is near the border between two codes.
  HWY_INLINE hn::Vec<I> Codes(const float* HWY_RESTRICT inputs) const {
    constexpr int32_t kFloatCodes = 255;
    constexpr float kBorder = 0.5f - 1.0f / 4096;  // float32 is off by less than 255 * 2^-22 = 2^-14
    const F d;
    const I di;
    const auto bound = hn::Set(d, range);
    const auto x = hn::Max(hn::Min(hn::LoadU(d, inputs), bound), hn::Neg(bound));
    const auto code = hn::Mul(x, hn::Set(d, static_cast<float>(largest_code) / range));
    const auto rounded = hn::Round(code);
    const auto distance = hn::Abs(hn::Sub(code, rounded));
    if (HWY_LIKELY(largest_code <= kFloatCodes && hn::AllTrue(d, hn::Lt(distance, hn::Set(d, kBorder))))) {
      return hn::ConvertTo(di, rounded);
    }
    HWY_ALIGN int32_t codes[kLanes];
    Exact(inputs, codes);
    return hn::Load(di, codes);
  }
};

// Magnitudes below 2^16 to their bytes.
HWY_INLINE void StoreBytes(hn::Vec<I> magnitudes, int64_t at, uint8_t* low, uint8_t* high) {
  const I di;
  const hn::Rebind<uint8_t, I> db;
  if (high == nullptr) {
    hn::StoreU(hn::DemoteTo(db, magnitudes), db, low + at);
    return;
  }
  hn::StoreU(hn::DemoteTo(db, hn::And(magnitudes, hn::Set(di, 0xFF))), db, low + at);
  hn::StoreU(hn::DemoteTo(db, hn::ShiftRight<8>(magnitudes)), db, high + at);
}

HWY_INLINE void StoreCodes(hn::Vec<I> codes, int64_t at, bool has_negative, const CodePlanes& planes) {
  const auto zero = hn::Zero(I());
  StoreBytes(hn::Max(codes, zero), at, planes.bytes[0][0], planes.bytes[0][1]);
  if (has_negative) StoreBytes(hn::Max(hn::Sub(zero, codes), zero), at, planes.bytes[1][0], planes.bytes[1][1]);
}

// Some codes at the end of a plane, by way of a buffer of whole SIMD vectors.
HWY_INLINE void StoreLastCodes(hn::Vec<I> codes, int64_t at, size_t count, bool has_negative,
                               const CodePlanes& planes) {
  uint8_t bytes[2][2][kLanes];
  CodePlanes buffer;
  for (int pass = 0; pass < 2; ++pass) {
    for (int byte = 0; byte < 2; ++byte) {
      buffer.bytes[pass][byte] = planes.bytes[pass][byte] == nullptr ? nullptr : bytes[pass][byte];
    }
  }
  StoreCodes(codes, 0, has_negative, buffer);
  for (int pass = 0; pass < (has_negative ? 2 : 1); ++pass) {
    for (int byte = 0; byte < 2; ++byte) {
      if (planes.bytes[pass][byte] == nullptr) continue;
      for (size_t i = 0; i < count; ++i) planes.bytes[pass][byte][at + i] = bytes[pass][byte][i];
    }
  }
}

void EncodeInputsT(const float* HWY_RESTRICT inputs, int64_t count, float range, int32_t largest_code,
                   bool has_negative, const CodePlanes& planes) {
  const Coder coder{range, range == 0 ? 0 : largest_code};
  int64_t i = 0;
  HWY_ALIGN float last[kLanes] = {};
  if (range == 0) {  // nothing but zeros: no quotient
    for (; i < count; i += kLanes) {
      const size_t rest = HWY_MIN(static_cast<size_t>(count - i), kLanes);
      StoreLastCodes(hn::Zero(I()), i, rest, has_negative, planes);
    }
    return;
  }
  for (; i + static_cast<int64_t>(kLanes) <= count; i += kLanes) {
    StoreCodes(coder.Codes(inputs + i), i, has_negative, planes);
  }
  if (i == count) return;
  const size_t rest = static_cast<size_t>(count - i);
  for (size_t n = 0; n < rest; ++n) last[n] = inputs[i + static_cast<int64_t>(n)];
  StoreLastCodes(coder.Codes(last), i, rest, has_negative, planes);
}

void SplitCodesT(const int32_t* HWY_RESTRICT codes, int64_t count, bool has_negative, const CodePlanes& planes) {
  const I di;
  int64_t i = 0;
  for (; i + static_cast<int64_t>(kLanes) <= count; i += kLanes) {
    StoreCodes(hn::LoadU(di, codes + i), i, has_negative, planes);
  }
  if (i == count) return;
  const size_t rest = static_cast<size_t>(count - i);
  HWY_ALIGN int32_t last[kLanes] = {};
  for (size_t n = 0; n < rest; ++n) last[n] = codes[i + static_cast<int64_t>(n)];
  StoreLastCodes(hn::Load(di, last), i, rest, has_negative, planes);
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(FindRangeT);
HWY_EXPORT(FindCodeRangeT);
HWY_EXPORT(EncodeInputsT);
HWY_EXPORT(SplitCodesT);

void FindRangeCpu(const float* inputs, std::int64_t count, float* low, float* high, std::uint32_t* magnitude_bits) {
  HWY_DYNAMIC_DISPATCH(FindRangeT)(inputs, count, low, high, magnitude_bits);
}
void FindCodeRangeCpu(const std::int32_t* codes, std::int64_t count, std::int32_t* low, std::int32_t* high) {
  HWY_DYNAMIC_DISPATCH(FindCodeRangeT)(codes, count, low, high);
}
void EncodeInputsCpu(const float* inputs, std::int64_t count, float range, std::int32_t largest_code, bool has_negative,
                     const CodePlanes& planes) {
  HWY_DYNAMIC_DISPATCH(EncodeInputsT)(inputs, count, range, largest_code, has_negative, planes);
}
void SplitCodesCpu(const std::int32_t* codes, std::int64_t count, bool has_negative, const CodePlanes& planes) {
  HWY_DYNAMIC_DISPATCH(SplitCodesT)(codes, count, has_negative, planes);
}

}  // namespace rxnn
#endif
