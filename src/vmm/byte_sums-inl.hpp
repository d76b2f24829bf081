// What the kernels for products of bytes share: where bytes lie, and what their sums mean. Compiled for AVX-512 alone.
#include "hwy/highway.h"
#include "vmm/byte_reads.hpp"

// Calls a function of the only instruction set that has it.
#ifndef RXNN_BYTE_KERNEL
#if (HWY_TARGETS & HWY_AVX3) != 0 && HWY_ARCH_X86_64
#define RXNN_BYTE_KERNEL(call) N_AVX3::call
#else
#define RXNN_BYTE_KERNEL(call) HWY_ABORT("no products of bytes")
#endif
#endif

#if defined(RXNN_VMM_BYTE_SUMS_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RXNN_VMM_BYTE_SUMS_INL_HPP
#undef RXNN_VMM_BYTE_SUMS_INL_HPP
#else
#define RXNN_VMM_BYTE_SUMS_INL_HPP
#endif

#include "vmm/lanes-inl.hpp"

#if HWY_TARGET == HWY_AVX3 && HWY_ARCH_X86_64

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
using Cut = LevelBytes::Cut;

constexpr size_t kTileRows = 16;
constexpr size_t kTileCols = 16;
constexpr size_t kTileBytes = 1024;  // 16 rows of 64 bytes
constexpr size_t kChunkQuads = kByteRows / 4;

template <Cut kCut>
constexpr size_t kParts = kCut == Cut::kOne ? 1 : 3;
template <Cut kCut>
constexpr size_t kCopies = kCut == Cut::kBits ? 2 : 1;
template <Cut kCut>
constexpr size_t kSums = kCut == Cut::kOne    ? 1
                         : kCut == Cut::kBits ? 2
                                              : 3;

// What a row of digits adds up to in a block of columns.
template <Cut kCut>
struct Sums {
  VI part[kSums<kCut>];
};

// sum += the product of words, of the lower and of the upper halves of lanes (AVX-512 VNNI).
HWY_INLINE void AddWords(VI a, VI b, VI& sum) { asm("vpdpwssd %2, %1, %0" : "+v"(sum.raw) : "v"(a.raw), "v"(b.raw)); }

// The current of one row, in units.
template <Cut kCut>
HWY_INLINE VF Current(const Sums<kCut>& sums) {
  const F d;
  if constexpr (kCut == Cut::kOne) {
    return hn::ConvertTo(d, sums.part[0]);
  } else if constexpr (kCut == Cut::kBits) {
    // 16 bits hold a sum of third bytes, and -2^15.
    VI sum = sums.part[0];
    AddWords(sums.part[1], hn::Set(I(), 0x8000), sum);
    return hn::ConvertTo(d, sum);
  } else {
    const VF high = hn::ConvertTo(d, sums.part[2]);
    return hn::MulAdd(high, hn::Set(d, 65536.0f),
                      hn::ConvertTo(d, hn::Add(sums.part[0], hn::ShiftLeft<8>(sums.part[1]))));
  }
}

// Half of the sums of one row in double, exactly: levels of three bytes and sums of them have less than 53 bits.
template <Cut kCut, class D>
HWY_INLINE hn::Vec<D> Product(D d, const Sums<kCut>& sums, bool upper) {
  const hn::Rebind<int32_t, D> di;
  const auto half = [&](VI v)
                        HWY_ATTR { return hn::PromoteTo(d, upper ? hn::UpperHalf(di, v) : hn::LowerHalf(di, v)); };
  if constexpr (kCut == Cut::kOne) {
    return half(sums.part[0]);
  } else {
    const auto k256 = hn::Set(d, 256.0);
    return hn::MulAdd(hn::MulAdd(half(sums.part[2]), k256, half(sums.part[1])), k256, half(sums.part[0]));
  }
}

// sums of 16 columns (+)= a product times `unit`.
template <Cut kCut, class D>
HWY_INLINE void AddProduct(D d, const Sums<kCut>& product, hn::Vec<D> unit, bool add, double* HWY_RESTRICT sums) {
  for (const bool upper : {false, true}) {
    double* half = sums + (upper ? kTileCols / 2 : 0);
    const auto levels = Product<kCut>(d, product, upper);
    hn::StoreU(add ? hn::MulAdd(levels, unit, hn::LoadU(d, half)) : hn::Mul(levels, unit), d, half);
  }
}

// Digits of a chunk of the rows of a unit: [tile][copy][16 rows][kByteRows].
template <Cut kCut>
constexpr size_t kChunkDigits = kCopies<kCut>* kByteUnit* kByteRows;

// Where a row of them begins; its copy is kTileBytes further on.
template <Cut kCut>
constexpr size_t RowOfUnit(size_t row) {
  return row / kTileRows * kCopies<kCut> * kTileBytes + row % kTileRows * kByteRows;
}

// Where the tiles of a panel and of units lie.
struct Layout {
  size_t chunks, quads, block_bytes, chunk_bytes, unit_bytes;  // quads: groups of four rows that are in use
};

template <Cut kCut>
HWY_INLINE Layout LayoutOf(int rows, int cols) {
  const size_t chunks = (static_cast<size_t>(rows) + kByteRows - 1) / kByteRows;
  const size_t block_bytes = kParts<kCut> * kTileBytes;
  return {chunks, (static_cast<size_t>(rows) + 3) / 4, block_bytes, static_cast<size_t>(cols) / kTileCols * block_bytes,
          chunks * kChunkDigits<kCut>};
}

// Units that are read for all columns before others are: their digits stay in the first-level cache.
constexpr size_t kTogether = 3;

// visit(unit, column, its digits, levels of the columns from there on) for all of them.
template <class Visit>
HWY_INLINE void ForEachUnit(const Layout& layout, size_t num_units, size_t cols, const uint8_t* digits,
                            const int8_t* bytes, const Visit& visit) {
  for (size_t begin = 0; begin < num_units; begin += kTogether) {
    const size_t end = HWY_MIN(begin + kTogether, num_units);
    for (size_t col = 0; col < cols; col += kTileCols) {
      for (size_t u = begin; u < end; ++u) {
        visit(u, col, digits + u * layout.unit_bytes, bytes + col / kTileCols * layout.block_bytes);
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // AVX-512
#endif  // per-target include guard
