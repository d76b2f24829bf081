// One source, compiled by Highway once for every instruction set of the processor family; the best one that the machine
// has is chosen at run time. Only plain arrays in here.
#include "images/images_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "images/images_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using B = hn::CappedTag<uint8_t, 16>;  // 16 bytes: what interleaves as a whole on every instruction set
constexpr int64_t kBytes = static_cast<int64_t>(hn::MaxLanes(B()));

void GatherLineT(const uint8_t* HWY_RESTRICT bytes, const ByteRun* HWY_RESTRICT runs, int64_t count, int64_t step,
                 uint8_t* HWY_RESTRICT line) {
  const B d;
  for (int64_t r = 0; r < count; ++r) {
    const uint8_t* from = bytes + runs[r].from;
    uint8_t* to = line + runs[r].to;
    const int64_t length = runs[r].length;
    if (step == 1) {
      for (int64_t i = 0; i < length; i += kBytes) hn::StoreU(hn::LoadU(d, from + i), d, to + i);
#if HWY_TARGET != HWY_SCALAR
    } else if (step == 2) {
      for (int64_t i = 0; i < length; i += kBytes) {
        const auto low = hn::LoadU(d, from + 2 * i);
        const auto high = hn::LoadU(d, from + 2 * i + kBytes);
        hn::StoreU(hn::ConcatEven(d, high, low), d, to + i);
      }
    } else if (step == 4) {
      const auto even = [&](int64_t at) HWY_ATTR {
        return hn::ConcatEven(d, hn::LoadU(d, from + at + kBytes), hn::LoadU(d, from + at));
      };
      for (int64_t i = 0; i < length; i += kBytes) {
        hn::StoreU(hn::ConcatEven(d, even(4 * i + 2 * kBytes), even(4 * i)), d, to + i);
      }
#endif
    } else {
      for (int64_t i = 0; i < length; ++i) to[i] = from[i * step];
    }
  }
}

// Some vectors and outputs of a block, one by one.
HWY_INLINE void StorePart(const double* HWY_RESTRICT sums, int64_t stride, int64_t first_vector, int64_t last_vector,
                          int64_t first_output, int64_t last_output, const PlaneMap& map, float* HWY_RESTRICT out,
                          int64_t out_stride) {
  for (int64_t n = first_output; n < last_output; ++n) {
    for (int64_t v = first_vector; v < last_vector; ++v) {
      const float y = static_cast<float>(sums[v * stride + n] * map.factors[n]) + (map.bias ? map.bias[n] : 0);
      out[n * out_stride + v] = y < 0 ? y * map.negative_slope : y;
    }
  }
}

#if HWY_TARGET == HWY_SCALAR

void TransposeLinesT(const uint8_t* const* HWY_RESTRICT lines, int64_t length, uint8_t* HWY_RESTRICT out,
                     int64_t out_stride) {
  for (int64_t i = 0; i < length; ++i) {
    for (int r = 0; r < 16; ++r) out[i * out_stride + r] = lines[r][i];
  }
}

void StorePlanesT(const double* HWY_RESTRICT sums, int64_t stride, int64_t vectors, int64_t outputs,
                  const PlaneMap& map, float* HWY_RESTRICT out, int64_t out_stride) {
  StorePart(sums, stride, 0, vectors, 0, outputs, map, out, out_stride);
}

#else

using Bytes = hn::Vec<B>;

// Interleaving row i with row i + 8, bytes in the order of the rows, four times over, exchanges rows and columns.
HWY_INLINE void Interleave(const Bytes (&in)[16], Bytes (&out)[16]) {
  const B d;
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) {
    out[2 * i] = hn::InterleaveLower(d, in[i], in[i + 8]);
    out[2 * i + 1] = hn::InterleaveUpper(d, in[i], in[i + 8]);
  }
}

void TransposeLinesT(const uint8_t* const* HWY_RESTRICT lines, int64_t length, uint8_t* HWY_RESTRICT out,
                     int64_t out_stride) {
  const B d;
  for (int64_t i = 0; i < length; i += 16) {
    Bytes a[16], b[16];
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) a[r] = hn::LoadU(d, lines[r] + i);
    Interleave(a, b);
    Interleave(b, a);
    Interleave(a, b);
    Interleave(b, a);
    uint8_t* to = out + i * out_stride;
#pragma GCC unroll 16
    for (int r = 0; r < 16; ++r) hn::StoreU(a[r], d, to + r * out_stride);
  }
}

constexpr int64_t kTurned = 4;  // vectors whose sums are turned at a time: as many floats as a block of 16 bytes has

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
using HalfD = hn::Half<D>;
constexpr int64_t kOutputs = static_cast<int64_t>(hn::MaxLanes(D()));

// Blocks of 16 bytes, `step` apart.
template <class Tag, class Vec>
HWY_INLINE void StoreBlocks(Tag d, Vec v, float* HWY_RESTRICT to, int64_t step) {
  constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(Tag()));
  if constexpr (kLanes == kTurned) {
    hn::StoreU(v, d, to);
  } else {
    const hn::Half<Tag> half;
    StoreBlocks(half, hn::LowerHalf(half, v), to, step);
    StoreBlocks(half, hn::UpperHalf(half, v), to + kLanes / 2 / kTurned * step, step);
  }
}

// float(sum * factor) of neighbouring outputs.
HWY_INLINE V Scaled(const double* HWY_RESTRICT sums, const double* HWY_RESTRICT factors) {
  const hn::Rebind<double, HalfD> dd;
  const HalfD df;
  const auto half = [&](int64_t at) HWY_ATTR {
    return hn::DemoteTo(df, hn::Mul(hn::LoadU(dd, sums + at), hn::LoadU(dd, factors + at)));
  };
  return hn::Combine(D(), half(kOutputs / 2), half(0));
}

// kOutputs outputs of kTurned vectors. In every block of 16 bytes four vectors by four outputs are turned; bias [i] has
// in block b the bias of output 4 b + i.
HWY_INLINE void TurnOutputs(const double* HWY_RESTRICT sums, int64_t stride, const double* HWY_RESTRICT factors,
                            const V (&bias)[kTurned], V slope, float* HWY_RESTRICT out, int64_t out_stride) {
  const D d;
  const hn::Repartition<uint64_t, D> dw;
  const V r0 = Scaled(sums, factors);
  const V r1 = Scaled(sums + stride, factors);
  const V r2 = Scaled(sums + 2 * stride, factors);
  const V r3 = Scaled(sums + 3 * stride, factors);
  const auto lo01 = hn::BitCast(dw, hn::InterleaveLower(d, r0, r1));
  const auto hi01 = hn::BitCast(dw, hn::InterleaveUpper(d, r0, r1));
  const auto lo23 = hn::BitCast(dw, hn::InterleaveLower(d, r2, r3));
  const auto hi23 = hn::BitCast(dw, hn::InterleaveUpper(d, r2, r3));
  const auto finish = [&](auto bits, V add, float* to) HWY_ATTR {
    const V y = hn::Add(hn::BitCast(d, bits), add);
    StoreBlocks(d, hn::IfThenElse(hn::Lt(y, hn::Zero(d)), hn::Mul(y, slope), y), to, kTurned * out_stride);
  };
  finish(hn::InterleaveLower(dw, lo01, lo23), bias[0], out);
  finish(hn::InterleaveUpper(dw, lo01, lo23), bias[1], out + out_stride);
  finish(hn::InterleaveLower(dw, hi01, hi23), bias[2], out + 2 * out_stride);
  finish(hn::InterleaveUpper(dw, hi01, hi23), bias[3], out + 3 * out_stride);
}

void StorePlanesT(const double* HWY_RESTRICT sums, int64_t stride, int64_t vectors, int64_t outputs,
                  const PlaneMap& map, float* HWY_RESTRICT out, int64_t out_stride) {
  constexpr int64_t kLine = 16;  // floats of a cache line
  const D d;
  const V slope = hn::Set(d, map.negative_slope);
  int64_t n = 0;
  for (; n + kOutputs <= outputs; n += kOutputs) {
    HWY_ALIGN float spread[kTurned][kOutputs] = {};
    for (int64_t i = 0; map.bias && i < kTurned * kOutputs; ++i) {
      spread[i / kOutputs][i % kOutputs] = map.bias[n + i % kOutputs / kTurned * kTurned + i / kOutputs];
    }
    const V bias[kTurned] = {hn::Load(d, spread[0]), hn::Load(d, spread[1]), hn::Load(d, spread[2]),
                             hn::Load(d, spread[3])};
    float* plane = out + n * out_stride;
    const int64_t ahead = HWY_MIN(outputs - n - kOutputs, kOutputs);
    int64_t v = 0;
    for (; v + kTurned <= vectors; v += kTurned) {
      if (v % kLine == 0) {
        for (int64_t i = 0; i < ahead; ++i) __builtin_prefetch(plane + (kOutputs + i) * out_stride + v);
      }
      TurnOutputs(sums + v * stride + n, stride, map.factors + n, bias, slope, plane + v, out_stride);
    }
    StorePart(sums, stride, v, vectors, n, n + kOutputs, map, out, out_stride);
  }
  StorePart(sums, stride, 0, vectors, n, outputs, map, out, out_stride);
}

#endif  // HWY_TARGET == HWY_SCALAR

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(GatherLineT);
HWY_EXPORT(TransposeLinesT);
HWY_EXPORT(StorePlanesT);

void GatherLineCpu(const std::uint8_t* bytes, const ByteRun* runs, std::int64_t count, std::int64_t step,
                   std::uint8_t* line) {
  HWY_DYNAMIC_DISPATCH(GatherLineT)(bytes, runs, count, step, line);
}
void TransposeLinesCpu(const std::uint8_t* const* lines, std::int64_t length, std::uint8_t* out,
                       std::int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(TransposeLinesT)(lines, length, out, out_stride);
}
void StorePlanesCpu(const double* sums, std::int64_t stride, std::int64_t vectors, std::int64_t outputs,
                    const PlaneMap& map, float* out, std::int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(StorePlanesT)(sums, stride, vectors, outputs, map, out, out_stride);
}

}  // namespace rxnn
#endif
