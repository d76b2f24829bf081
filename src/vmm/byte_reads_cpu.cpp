// Compiled by Highway for AVX-512 alone, which every processor with products of bytes has. Only plain arrays in here,
// as in vmm_cpu.cpp. Their instructions are written as assembly: what is compiled for AVX-512 must not use them
// otherwise.
#include "vmm/byte_reads_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/byte_reads_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
#include "vmm/byte_products.hpp"
#include "vmm/byte_sums-inl.hpp"
#include "vmm/code_convert-inl.hpp"

#if HWY_TARGET == HWY_AVX3 && HWY_ARCH_X86_64

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {

// Units by vectors of bytes: calls take(row, sums) for the rows in use.
template <Cut kCut>
class Vectors {
 public:
  template <class Take>
  HWY_INLINE static void Multiply(const Layout& layout, size_t rows, const uint8_t* digits, const int8_t* levels,
                                  const Take& take) {
    for (size_t row = 0; row < rows; row += kRows) {
      Sums<kCut> sums[kRows];
      MultiplyRows(layout, digits + RowOfUnit<kCut>(row), levels, sums);
      TakeFrom<0>(row, rows, sums, take);
    }
  }

 private:
  static constexpr size_t kRows = kCut == Cut::kOne ? 16 : 8;  // whose sums are in registers

  // Not a loop: each of the sums has its registers.
  template <size_t kRow, class Take>
  HWY_INLINE static void TakeFrom(size_t first, size_t rows, const Sums<kCut> (&sums)[kRows], const Take& take) {
    if (first + kRow >= rows) return;
    take(first + kRow, sums[kRow]);
    if constexpr (kRow + 1 < kRows) TakeFrom<kRow + 1>(first, rows, sums, take);
  }

  // sum += unsigned digits * signed levels, for four rows of each of 16 columns.
  HWY_INLINE static void Add(VI digits, VI levels, VI& sum) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(digits.raw), "v"(levels.raw));
  }

  // Four digits, for every column.
  HWY_INLINE static VI Four(const uint8_t* digits) {
    int32_t four;
    hwy::CopyBytes<sizeof(four)>(digits, &four);
    return hn::Set(I(), four);
  }

  HWY_INLINE static void MultiplyRows(const Layout& layout, const uint8_t* HWY_RESTRICT digits,
                                      const int8_t* HWY_RESTRICT levels, Sums<kCut> (&sums)[kRows]) {
    const I di;
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (size_t n = 0; n < kSums<kCut>; ++n) sums[r].part[n] = hn::Zero(di);
    }
    for (size_t first = 0; first < layout.quads; first += kChunkQuads, levels += layout.chunk_bytes) {
      const uint8_t* four = digits + first / kChunkQuads * kChunkDigits<kCut>;
      const int8_t* of_four = levels;
      const size_t quads = HWY_MIN(layout.quads - first, kChunkQuads);
      for (size_t quad = 0; quad < quads; ++quad, four += 4, of_four += 4 * kTileCols) {
        VI level[kParts<kCut>];
#pragma GCC unroll 16
        for (size_t p = 0; p < kParts<kCut>; ++p) {
          level[p] = hn::Load(di, reinterpret_cast<const int32_t*>(of_four + p * kTileBytes));
        }
#pragma GCC unroll 16
        for (size_t r = 0; r < kRows; ++r) {
          const VI digit = Four(four + r * kByteRows);
          Add(digit, level[0], sums[r].part[0]);
          if constexpr (kCut == Cut::kBits) {
            Add(digit, level[2], sums[r].part[1]);
            Add(Four(four + kTileBytes + r * kByteRows), level[1], sums[r].part[0]);
          }
          if constexpr (kCut == Cut::kThree) {
            Add(digit, level[1], sums[r].part[1]);
            Add(digit, level[2], sums[r].part[2]);
          }
        }
      }
    }
  }
};

template <Cut kCut, Form kForm, bool kShared, bool kOneStream>
HWY_NOINLINE void ReadUnits(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  const I di;
  const Constants constants(reads.readout, cut.unit);
  const bool clamps = reads.readout.clamps;
  const bool counted = clamps && reads.counts;
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t streams = static_cast<size_t>(reads.streams);
  const int dac_bits = reads.dac_bits;
  const int shift = reads.shift;
  const bool negative = reads.negative;
  int32_t* HWY_RESTRICT all_sums = reads.sums;
  const CodeReadout::Shares* HWY_RESTRICT shares = digits.shares;
  const int32_t* HWY_RESTRICT order = digits.order;
  const ByteUnit* HWY_RESTRICT units = digits.units;
  const VI zero = hn::Set(di, ZeroBits<kForm>(reads.readout));
  const Layout layout = LayoutOf<kCut>(reads.rows, reads.cols);
  SaturatedLanes saturated;
  // Copies are taken along: what is written could be any of these numbers, for all the compiler knows.
  const auto bits_of = [=, &saturated](const Sums<kCut>& sums, size_t read) HWY_ATTR {
    return Convert<kForm, kShared>(Current<kCut>(sums), shares[read], constants, clamps, saturated);
  };
  const auto multiply = [&](size_t u, size_t col, const uint8_t* of_unit, const int8_t* levels) HWY_ATTR {
    const size_t first_place = static_cast<size_t>(units[u].first_place);
    const size_t vectors = static_cast<size_t>(units[u].vectors);
    int32_t* HWY_RESTRICT of_cols = all_sums + col;
    if constexpr (kOneStream) {
      const auto take = [=](size_t row, const Sums<kCut>& sums) HWY_ATTR __attribute__((always_inline)) {
        const size_t place = first_place + row;
        AddTotal(bits_of(sums, place), zero, shift, negative, of_cols + static_cast<size_t>(order[place]) * cols);
      };
      Vectors<kCut>::Multiply(layout, vectors, of_unit, levels, take);
    } else {
      const size_t unit_streams = static_cast<size_t>(units[u].streams);
      size_t place = first_place, stream = 0;
      VI total = hn::Zero(di);
      const auto take = [&](size_t, const Sums<kCut>& sums) HWY_ATTR __attribute__((always_inline)) {
        const VI code = hn::Sub(bits_of(sums, place * streams + stream), zero);
        total = stream == 0 ? code : hn::Add(total, hn::ShiftLeftSame(code, static_cast<int>(stream) * dac_bits));
        if (++stream == unit_streams) {
          AddTotal(total, hn::Zero(di), shift, negative, of_cols + static_cast<size_t>(order[place]) * cols);
          stream = 0;
          ++place;
        }
      };
      Vectors<kCut>::Multiply(layout, vectors * unit_streams, of_unit, levels, take);
    }
    if (counted) {
      saturated.AddTo(reads, col);
      saturated = SaturatedLanes();
    }
  };
  ForEachUnit(layout, static_cast<size_t>(digits.num_units), cols, digits.digits, bytes, multiply);
}

template <Cut kCut, Form kForm, bool kOneStream>
HWY_INLINE void ReadUnitsIn(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  if (reads.level_share != 0) return ReadUnits<kCut, kForm, true, kOneStream>(reads, cut, bytes, digits);
  ReadUnits<kCut, kForm, false, kOneStream>(reads, cut, bytes, digits);
}

template <Cut kCut, Form kForm>
HWY_INLINE void ReadUnitsAs(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  if (reads.streams == 1) return ReadUnitsIn<kCut, kForm, true>(reads, cut, bytes, digits);
  ReadUnitsIn<kCut, kForm, false>(reads, cut, bytes, digits);
}

template <Cut kCut>
HWY_INLINE void ReadBytesAs(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  switch (FormOf(reads.readout)) {
    case Form::kCodes:
      return ReadUnitsAs<kCut, Form::kCodes>(reads, cut, bytes, digits);
    case Form::kLevels:
      return ReadUnitsAs<kCut, Form::kLevels>(reads, cut, bytes, digits);
    case Form::kLevelsFused:
      return ReadUnitsAs<kCut, Form::kLevelsFused>(reads, cut, bytes, digits);
  }
}

void ReadBytesT(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes, const ByteDigits& digits) {
  switch (cut.cut) {
    case Cut::kOne:
      return ReadBytesAs<Cut::kOne>(reads, cut, bytes, digits);
    case Cut::kBits:
      return ReadBytesAs<Cut::kBits>(reads, cut, bytes, digits);
    case Cut::kThree:
      return ReadBytesAs<Cut::kThree>(reads, cut, bytes, digits);
  }
}

template <Cut kCut>
HWY_NOINLINE void ReadFoldedAs(const FoldedByteReads& reads) {
  const hn::CappedTag<double, 8> d;
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const auto unit = hn::Set(d, reads.negative ? -reads.cut.unit : reads.cut.unit);
  const bool add = reads.add;
  double* HWY_RESTRICT all_sums = reads.sums;
  const Layout layout = LayoutOf<kCut>(reads.rows, reads.cols);
  const auto multiply = [&](size_t u, size_t col, const uint8_t* codes, const int8_t* levels) HWY_ATTR {
    double* of_unit = all_sums + u * kByteUnit * cols + col;
    const auto take = [&](size_t row, const Sums<kCut>& sums) HWY_ATTR __attribute__((always_inline)) {
      AddProduct<kCut>(d, sums, unit, add, of_unit + row * cols);
    };
    Vectors<kCut>::Multiply(layout, HWY_MIN(vectors - u * kByteUnit, size_t{kByteUnit}), codes, levels, take);
  };
  ForEachUnit(layout, (vectors + kByteUnit - 1) / kByteUnit, cols, reads.codes, reads.bytes, multiply);
}

void ReadFoldedBytesT(const FoldedByteReads& reads) {
  if (reads.cut.cut == Cut::kOne) return ReadFoldedAs<Cut::kOne>(reads);
  ReadFoldedAs<Cut::kThree>(reads);
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // AVX-512

#if HWY_ONCE
namespace rxnn {

void ReadBytesCpu(const CodeReads& reads, const LevelBytes& cut, const std::int8_t* bytes, const ByteDigits& digits) {
  if (BestByteProducts() == ByteProducts::kTiles && ReadTilesCpu(reads, cut, bytes, digits)) return;
  RXNN_BYTE_KERNEL(ReadBytesT(reads, cut, bytes, digits));
}
void ReadFoldedBytesCpu(const FoldedByteReads& reads) {
  if (BestByteProducts() == ByteProducts::kTiles) return ReadFoldedTilesCpu(reads);
  RXNN_BYTE_KERNEL(ReadFoldedBytesT(reads));
}

}  // namespace rxnn
#endif
