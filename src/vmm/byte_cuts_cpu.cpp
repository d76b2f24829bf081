// Levels and digits as bytes, in the order in which they are multiplied. Compiled as byte_reads_cpu.cpp is.
#include "vmm/byte_reads_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/byte_cuts_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
#include "vmm/byte_sums-inl.hpp"

#if HWY_TARGET == HWY_AVX3 && HWY_ARCH_X86_64

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {

// The lanes of `a` under the ones of a mask, those of `b` elsewhere.
HWY_INLINE VI Select(int32_t mask, VI a, VI b) { return hn::IfVecThenElse(hn::Set(I(), mask), a, b); }

constexpr int32_t kOddBytes = static_cast<int32_t>(0xFF00FF00);
constexpr int32_t kUpperHalf = static_cast<int32_t>(0xFFFF0000);

// Byte 0, 1 and 2 of four rows side by side, as tiles of levels want them.
template <size_t kCount>
HWY_INLINE void JoinBytes(const VI (&row)[4], VI (&joined)[3]) {
  const VI even01 = Select(kOddBytes, hn::ShiftLeft<8>(row[1]), row[0]);  // bytes 0 and 2 of both
  const VI even23 = Select(kOddBytes, hn::ShiftLeft<8>(row[3]), row[2]);
  joined[0] = Select(kUpperHalf, hn::ShiftLeft<16>(even23), even01);
  if (kCount == 1) return;
  const VI odd01 = Select(kOddBytes, row[1], hn::ShiftRight<8>(row[0]));
  const VI odd23 = Select(kOddBytes, row[3], hn::ShiftRight<8>(row[2]));
  joined[1] = Select(kUpperHalf, hn::ShiftLeft<16>(odd23), odd01);
  joined[2] = Select(kUpperHalf, even23, hn::ShiftRight<16>(even01));
}

// Bytes of four rows. A level as a whole number is moved up until its lower parts are not negative, so that they are
// some of its bits; what they are too large by goes off at the end.
template <Cut kCut>
HWY_INLINE void CutFourRows(VI (&level)[4], VI (&joined)[3]) {
  const I di;
  const hn::Repartition<uint8_t, I> db;
  if (kCut == Cut::kBits) {
    for (VI& l : level) {
      const VI moved = hn::Add(l, hn::Set(di, 64 + (128 << 7)));
      l = hn::Add(moved, hn::AndNot(hn::Set(di, 0x7F), moved));  // every part in a byte of its own
    }
  }
  if (kCut == Cut::kThree) {
    for (VI& l : level) l = hn::Add(l, hn::Set(di, 128 + (128 << 8)));
  }
  JoinBytes<kParts<kCut>>(level, joined);
  if (kCut == Cut::kOne) return;
  const auto less = [&](VI v, uint8_t by)
                        HWY_ATTR { return hn::BitCast(di, hn::Sub(hn::BitCast(db, v), hn::Set(db, by))); };
  joined[0] = less(joined[0], kCut == Cut::kBits ? 64 : 128);
  joined[1] = less(joined[1], 128);
  if (kCut == Cut::kBits) joined[2] = hn::BitCast(di, hn::Sub(hn::Zero(db), hn::BitCast(db, joined[2])));
}

// bytes: [chunk][block of 16 columns][part][row / 4][column][row % 4].
template <Cut kCut>
HWY_NOINLINE void CutLevelsAs(const LevelBytes& cut, const float* HWY_RESTRICT levels, size_t stride, size_t rows,
                              size_t cols, float share_value, int8_t* HWY_RESTRICT bytes) {
  const F d;
  const I di;
  const VF share = hn::Set(d, share_value);
  const VF per_unit = hn::Set(d, 1 / cut.unit);
  const size_t blocks = cols / kTileCols;
  const size_t padded = (rows + kByteRows - 1) / kByteRows * kByteRows;
  for (size_t row = 0; row < padded; row += 4) {
    for (size_t block = 0; block < blocks; ++block) {
      const float* from = levels + row * stride + block * kTileCols;
      VI level[4];
      VI joined[3];
      for (size_t i = 0; i < 4; ++i, from += stride) {
        level[i] =
            row + i < rows ? hn::NearestInt(hn::Mul(hn::Add(hn::LoadU(d, from), share), per_unit)) : hn::Zero(di);
      }
      CutFourRows<kCut>(level, joined);
      const size_t tile = (row / kByteRows * blocks + block) * kParts<kCut>;
      int8_t* to = bytes + tile * kTileBytes + row % kByteRows * kTileCols;
      for (size_t p = 0; p < kParts<kCut>; ++p) {
        hn::Store(joined[p], di, reinterpret_cast<int32_t*>(to + p * kTileBytes));
      }
    }
  }
}

void CutLevelsT(const LevelBytes& cut, const float* levels, size_t stride, size_t rows, size_t cols, float share,
                int8_t* bytes) {
  switch (cut.cut) {
    case Cut::kOne:
      return CutLevelsAs<Cut::kOne>(cut, levels, stride, rows, cols, share, bytes);
    case Cut::kBits:
      return CutLevelsAs<Cut::kBits>(cut, levels, stride, rows, cols, share, bytes);
    case Cut::kThree:
      return CutLevelsAs<Cut::kThree>(cut, levels, stride, rows, cols, share, bytes);
  }
}

using Bytes = hn::CappedTag<uint8_t, kByteRows>;
using Words = hn::Repartition<uint16_t, Bytes>;

// Stream s of 64 codes.
HWY_INLINE hn::Vec<Bytes> DigitsOf(hn::Vec<Bytes> codes, int s, int dac_bits) {
  const Bytes d;
  const int shift = s * dac_bits;
  // The last digit of a code may have fewer bits: those above it are its neighbour's.
  const int bits = HWY_MIN(dac_bits, 8 - shift);
  const hn::Vec<Words> words = hn::BitCast(Words(), codes);
  return hn::And(hn::BitCast(d, hn::ShiftRightSame(words, shift)), hn::Set(d, static_cast<uint8_t>((1 << bits) - 1)));
}

// Codes of a chunk of the rows, 0 beyond them.
HWY_INLINE hn::Vec<Bytes> CodesOf(const uint8_t* codes, size_t row, size_t rows) {
  const Bytes d;
  const auto all = hn::LoadU(d, codes + row);
  return row + kByteRows <= rows ? all : hn::IfThenElseZero(hn::FirstN(d, rows - row), all);
}

void SumByteDigitsT(const CodeCut& cut, int32_t* HWY_RESTRICT digit_sums) {
  const Bytes d;
  const hn::Repartition<uint64_t, Bytes> d64;
  const size_t rows = static_cast<size_t>(cut.rows);
  const int dac_bits = cut.dac_bits;
  for (size_t v = 0; v < static_cast<size_t>(cut.vectors); ++v) {
    const uint8_t* codes = cut.low + static_cast<int64_t>(v) * cut.stride;
    for (int s = 0; s < cut.streams; ++s) {
      if (dac_bits == 1) {
        size_t ones = 0;
        const auto bit = hn::Set(d, static_cast<uint8_t>(1 << s));
        for (size_t row = 0; row < rows; row += kByteRows) {
          ones += hn::CountTrue(d, hn::TestBit(CodesOf(codes, row, rows), bit));
        }
        *digit_sums++ = static_cast<int32_t>(ones);
        continue;
      }
      auto sum = hn::Zero(d64);
      for (size_t row = 0; row < rows; row += kByteRows) {
        sum = hn::Add(sum, hn::SumsOf8(DigitsOf(CodesOf(codes, row, rows), s, dac_bits)));
      }
      *digit_sums++ = static_cast<int32_t>(hn::GetLane(hn::SumOfLanes(d64, sum)));
    }
  }
}

// Row after row of one-bit digits of a chunk of codes, each also times 128.
HWY_INLINE void CutBitsOfChunk(hn::Vec<Bytes> codes, size_t row, size_t streams, uint8_t* HWY_RESTRICT digits) {
  const Bytes d;
  for (const size_t end = row + streams; row < end; ++row) {
    uint8_t* to = digits + RowOfUnit<Cut::kBits>(row);
    const auto digit = hn::And(codes, hn::Set(d, uint8_t{1}));
    hn::Store(digit, d, to);
    hn::Store(hn::BitCast(d, hn::ShiftLeft<7>(hn::BitCast(Words(), digit))), d, to + kTileBytes);
    codes = hn::BitCast(d, hn::ShiftRight<1>(hn::BitCast(Words(), codes)));
  }
}

void CutByteDigitsT(const CodeCut& cut, size_t copies, const int32_t* HWY_RESTRICT order, const ByteUnit* units,
                    size_t num_units, uint8_t* HWY_RESTRICT digits) {
  const Bytes d;
  const size_t rows = static_cast<size_t>(cut.rows);
  const size_t chunks = (rows + kByteRows - 1) / kByteRows;
  const int dac_bits = cut.dac_bits;
  const size_t chunk_digits = copies * kByteUnit * kByteRows;
  for (size_t u = 0; u < num_units; ++u, digits += chunks * chunk_digits) {
    const size_t streams = static_cast<size_t>(units[u].streams);
    for (size_t i = 0; i < static_cast<size_t>(units[u].vectors); ++i) {
      const uint8_t* codes =
          cut.low + static_cast<int64_t>(order[static_cast<size_t>(units[u].first_place) + i]) * cut.stride;
      for (size_t c = 0; c < chunks; ++c) {
        const auto chunk = CodesOf(codes, c * kByteRows, rows);
        uint8_t* to = digits + c * chunk_digits;
        if (copies == 2) {
          CutBitsOfChunk(chunk, i * streams, streams, to);
          continue;
        }
        for (size_t s = 0; s < streams; ++s) {
          hn::Store(DigitsOf(chunk, static_cast<int>(s), dac_bits), d, to + (i * streams + s) * kByteRows);
        }
      }
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // AVX-512

#if HWY_ONCE
namespace rxnn {

void CutLevelsCpu(const LevelBytes& cut, const float* levels, std::int64_t stride, int rows, int cols, float share,
                  std::int8_t* bytes) {
  RXNN_BYTE_KERNEL(CutLevelsT(cut, levels, static_cast<std::size_t>(stride), static_cast<std::size_t>(rows),
                              static_cast<std::size_t>(cols), share, bytes));
}
void SumByteDigitsCpu(const CodeCut& cut, std::int32_t* digit_sums) {
  RXNN_BYTE_KERNEL(SumByteDigitsT(cut, digit_sums));
}
void CutByteDigitsCpu(const CodeCut& cut, int copies, const std::int32_t* order, const ByteUnit* units, int num_units,
                      std::uint8_t* digits) {
  RXNN_BYTE_KERNEL(
      CutByteDigitsT(cut, static_cast<std::size_t>(copies), order, units, static_cast<std::size_t>(num_units), digits));
}

}  // namespace rxnn
#endif
