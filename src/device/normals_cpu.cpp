// Compiled once per instruction set by foreach_target; holds kernels only.
#include "device/normals_cpu.hpp"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "device/normals_cpu.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// foreach_target.h comes before the others
#include "hwy/contrib/math/math-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// The 32-bit words of Philox are held in 64-bit lanes, where their products fit; upper halves may hold leftovers.
using Words = hn::ScalableTag<std::uint64_t>;
using Word = hn::Vec<Words>;

// Product of the lower 32 bits of each lane with a constant.
HWY_INLINE Word Product(Words words, Word a, std::uint32_t multiplier) {
#if HWY_TARGET == HWY_SCALAR
  return hn::Set(words, (hn::GetLane(a) & 0xFFFFFFFFu) * multiplier);
#else
  const hn::RepartitionToNarrow<Words> halves;
  return hn::MulEven(hn::BitCast(halves, a), hn::Set(halves, multiplier));
#endif
}

// (lower 32 bits + 1/2) / 2^32, in (0, 1): the bits become the mantissa of a number from 2^52 up.
HWY_INLINE hn::Vec<hn::ScalableTag<double>> ToUnit(Words words, Word a) {
  const hn::ScalableTag<double> reals;
  const auto bits = hn::Or(hn::And(a, hn::Set(words, 0xFFFFFFFFu)), hn::Set(words, 0x4330000000000000u));
  const auto integer = hn::Sub(hn::BitCast(reals, bits), hn::Set(reals, 0x1p52));
  return hn::Mul(hn::Add(integer, hn::Set(reals, 0.5)), hn::Set(reals, 0x1p-32));
}

void NormalDeviatesT(const std::uint32_t key[2], std::uint32_t purpose, std::uint32_t array, std::uint64_t index,
                     std::int64_t count, double* HWY_RESTRICT deviates) {
  const Words words;
  const hn::ScalableTag<double> reals;
  const std::int64_t lanes = static_cast<std::int64_t>(hn::Lanes(words));
  HWY_ALIGN double last[hn::MaxLanes(reals)];
  for (std::int64_t i = 0; i < count; i += lanes) {
    const Word block = hn::Iota(words, index + static_cast<std::uint64_t>(i));
    Word c0 = block;
    Word c1 = hn::ShiftRight<32>(block);
    Word c2 = hn::Set(words, array);
    Word c3 = hn::Set(words, purpose);
    std::uint32_t key0 = key[0];
    std::uint32_t key1 = key[1];
    for (int round = 0; round < 10; ++round) {
      const Word product0 = Product(words, c0, 0xD2511F53u);
      const Word product1 = Product(words, c2, 0xCD9E8D57u);
      c0 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product1), c1), hn::Set(words, key0));
      c2 = hn::Xor(hn::Xor(hn::ShiftRight<32>(product0), c3), hn::Set(words, key1));
      c1 = product1;
      c3 = product0;
      key0 += 0x9E3779B9u;
      key1 += 0xBB67AE85u;
    }
    const auto radius = hn::Sqrt(hn::Mul(hn::Set(reals, -2.0), hn::Log(reals, ToUnit(words, c0))));
    const auto angle = hn::Mul(hn::Set(reals, 6.283185307179586476925286766559), ToUnit(words, c1));
    const auto deviate = hn::Mul(radius, hn::Cos(reals, angle));
    if (i + lanes <= count) {
      hn::StoreU(deviate, reals, deviates + i);
    } else {
      hn::Store(deviate, reals, last);
      for (std::int64_t j = i; j < count; ++j) deviates[j] = last[j - i];
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(NormalDeviatesT);

void NormalDeviates(const std::uint32_t key[2], std::uint32_t purpose, std::uint32_t array, std::uint64_t index,
                    std::int64_t count, double* deviates) {
  HWY_DYNAMIC_DISPATCH(NormalDeviatesT)(key, purpose, array, index, count, deviates);
}

}  // namespace rxnn
#endif
