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
#endif
    } else {
      for (int64_t i = 0; i < length; ++i) to[i] = from[i * step];
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
                  const double* HWY_RESTRICT factors, const float* HWY_RESTRICT bias, float* HWY_RESTRICT out,
                  int64_t out_stride) {
  for (int64_t n = 0; n < outputs; ++n) {
    for (int64_t v = 0; v < vectors; ++v) {
      out[n * out_stride + v] = static_cast<float>(sums[v * stride + n] * factors[n]) + (bias ? bias[n] : 0);
    }
  }
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

constexpr int64_t kBlock = 16;  // vectors and outputs that are turned at a time

// Scaled sums of kBlock vectors and up to kBlock outputs, turned.
HWY_INLINE void TurnBlock(const float* HWY_RESTRICT scaled, int64_t outputs, const float* HWY_RESTRICT bias,
                          float* HWY_RESTRICT turned) {
  const hn::FixedTag<float, 4> d;
  const hn::RebindToUnsigned<decltype(d)> du;
  const hn::Repartition<uint64_t, decltype(d)> dw;
  for (int64_t v = 0; v < kBlock; v += 4) {
    for (int64_t n = 0; n < outputs; n += 4) {
      const float* from = scaled + v * kBlock + n;
      const auto r0 = hn::Load(d, from);
      const auto r1 = hn::Load(d, from + kBlock);
      const auto r2 = hn::Load(d, from + 2 * kBlock);
      const auto r3 = hn::Load(d, from + 3 * kBlock);
      const auto lo01 = hn::BitCast(dw, hn::InterleaveLower(du, hn::BitCast(du, r0), hn::BitCast(du, r1)));
      const auto hi01 = hn::BitCast(dw, hn::InterleaveUpper(du, hn::BitCast(du, r0), hn::BitCast(du, r1)));
      const auto lo23 = hn::BitCast(dw, hn::InterleaveLower(du, hn::BitCast(du, r2), hn::BitCast(du, r3)));
      const auto hi23 = hn::BitCast(dw, hn::InterleaveUpper(du, hn::BitCast(du, r2), hn::BitCast(du, r3)));
      float* to = turned + n * kBlock + v;
      hn::Store(hn::Add(hn::BitCast(d, hn::InterleaveLower(dw, lo01, lo23)), hn::Set(d, bias[n])), d, to);
      hn::Store(hn::Add(hn::BitCast(d, hn::InterleaveUpper(dw, lo01, lo23)), hn::Set(d, bias[n + 1])), d, to + kBlock);
      hn::Store(hn::Add(hn::BitCast(d, hn::InterleaveLower(dw, hi01, hi23)), hn::Set(d, bias[n + 2])), d,
                to + 2 * kBlock);
      hn::Store(hn::Add(hn::BitCast(d, hn::InterleaveUpper(dw, hi01, hi23)), hn::Set(d, bias[n + 3])), d,
                to + 3 * kBlock);
    }
  }
}

void StorePlanesT(const double* HWY_RESTRICT sums, int64_t stride, int64_t vectors, int64_t outputs,
                  const double* HWY_RESTRICT factors, const float* HWY_RESTRICT bias, float* HWY_RESTRICT out,
                  int64_t out_stride) {
  const hn::CappedTag<double, 8> dd;
  const hn::Rebind<float, decltype(dd)> df;
  constexpr int64_t kDoubles = static_cast<int64_t>(hn::MaxLanes(dd));
  HWY_ALIGN float scaled[kBlock * kBlock] = {};
  HWY_ALIGN float turned[kBlock * kBlock];
  HWY_ALIGN double block_factors[kBlock] = {};
  HWY_ALIGN float block_bias[kBlock] = {};
  for (int64_t n0 = 0; n0 < outputs; n0 += kBlock) {
    const int64_t block_outputs = HWY_MIN(kBlock, outputs - n0);
    for (int64_t n = 0; n < block_outputs; ++n) {
      block_factors[n] = factors[n0 + n];
      block_bias[n] = bias ? bias[n0 + n] : 0.0f;
    }
    for (int64_t v0 = 0; v0 < vectors; v0 += kBlock) {
      for (int64_t n = n0 + kBlock; n < HWY_MIN(outputs, n0 + 2 * kBlock); ++n) {
        __builtin_prefetch(out + n * out_stride + v0);
      }
      const int64_t block_vectors = HWY_MIN(kBlock, vectors - v0);
      for (int64_t v = 0; v < block_vectors; ++v) {
        const double* from = sums + (v0 + v) * stride + n0;
        if (block_outputs == kBlock) {
          for (int64_t n = 0; n < kBlock; n += kDoubles) {
            const auto product = hn::Mul(hn::LoadU(dd, from + n), hn::Load(dd, block_factors + n));
            hn::Store(hn::DemoteTo(df, product), df, scaled + v * kBlock + n);
          }
        } else {
          for (int64_t n = 0; n < block_outputs; ++n) {
            scaled[v * kBlock + n] = static_cast<float>(from[n] * block_factors[n]);
          }
        }
      }
      TurnBlock(scaled, block_outputs, block_bias, turned);
      const hn::CappedTag<float, kBlock> d;
      for (int64_t n = 0; n < block_outputs; ++n) {
        float* to = out + (n0 + n) * out_stride + v0;
        if (block_vectors == kBlock) {
          for (int64_t v = 0; v < kBlock; v += static_cast<int64_t>(hn::MaxLanes(d))) {
            hn::StoreU(hn::Load(d, turned + n * kBlock + v), d, to + v);
          }
        } else {
          for (int64_t v = 0; v < block_vectors; ++v) to[v] = turned[n * kBlock + v];
        }
      }
    }
  }
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
                    const double* factors, const float* bias, float* out, std::int64_t out_stride) {
  HWY_DYNAMIC_DISPATCH(StorePlanesT)(sums, stride, vectors, outputs, factors, bias, out, out_stride);
}

}  // namespace rxnn
#endif
