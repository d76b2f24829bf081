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
#include "vmm/code_convert-inl.hpp"

#if HWY_TARGET == HWY_AVX3 && HWY_ARCH_X86_64

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
using Cut = LevelBytes::Cut;

constexpr size_t kTileRows = 16;
constexpr size_t kTileCols = 16;
constexpr size_t kTileBytes = 1024;  // 16 rows of 64 bytes
constexpr size_t kTileSums = kTileRows * kTileCols;
constexpr size_t kTilesOfUnit = kByteUnit / kTileRows;
constexpr size_t kUnitSums = kTilesOfUnit * kTileSums;
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

// The current of one row, in units.
template <Cut kCut>
HWY_INLINE VF Current(const Sums<kCut>& sums) {
  const F d;
  if constexpr (kCut == Cut::kOne) {
    return hn::ConvertTo(d, sums.part[0]);
  } else if constexpr (kCut == Cut::kBits) {
    return hn::ConvertTo(d, hn::Add(sums.part[0], hn::ShiftLeft<15>(sums.part[1])));
  } else {
    const VF high = hn::ConvertTo(d, sums.part[2]);
    return hn::MulAdd(high, hn::Set(d, 65536.0f),
                      hn::ConvertTo(d, hn::Add(sums.part[0], hn::ShiftLeft<8>(sums.part[1]))));
  }
}

// Bytes of four rows side by side, as tiles of levels want them.
HWY_INLINE VI JoinBytes(VI a, VI b, VI c, VI d) {
  const VI mask = hn::Set(I(), 0xFF);
  const VI low = hn::Or(hn::And(a, mask), hn::ShiftLeft<8>(hn::And(b, mask)));
  return hn::Or(low, hn::Or(hn::ShiftLeft<16>(hn::And(c, mask)), hn::ShiftLeft<24>(d)));
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
      VI part[3][4];
      for (size_t i = 0; i < 4; ++i) {
        VI level = hn::Zero(di);
        if (row + i < rows) {
          const VF value = hn::LoadU(d, levels + (row + i) * stride + block * kTileCols);
          level = hn::NearestInt(hn::Mul(hn::Add(value, share), per_unit));
        }
        part[0][i] = level;
        if (kCut == Cut::kThree) {
          part[1][i] = hn::ShiftRight<8>(hn::Add(level, hn::Set(di, 128)));
          part[2][i] = hn::ShiftRight<8>(hn::Add(part[1][i], hn::Set(di, 128)));
        }
        if (kCut == Cut::kBits) {
          part[2][i] = hn::ShiftRight<15>(hn::Add(level, hn::Set(di, 1 << 14)));
          const VI rest = hn::Sub(level, hn::ShiftLeft<15>(part[2][i]));
          part[1][i] = hn::Min(hn::ShiftRight<7>(hn::Add(rest, hn::Set(di, 64))), hn::Set(di, 127));
          part[0][i] = hn::Sub(rest, hn::ShiftLeft<7>(part[1][i]));
        }
      }
      const size_t tile = (row / kByteRows * blocks + block) * kParts<kCut>;
      int8_t* to = bytes + tile * kTileBytes + row % kByteRows * kTileCols;
      for (size_t p = 0; p < kParts<kCut>; ++p) {
        hn::Store(JoinBytes(part[p][0], part[p][1], part[p][2], part[p][3]), di,
                  reinterpret_cast<int32_t*>(to + p * kTileBytes));
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
  for (size_t v = 0; v < static_cast<size_t>(cut.vectors); ++v) {
    const uint8_t* codes = cut.low + static_cast<int64_t>(v) * cut.stride;
    for (int s = 0; s < cut.streams; ++s) {
      auto sum = hn::Zero(d64);
      for (size_t row = 0; row < rows; row += kByteRows) {
        sum = hn::Add(sum, hn::SumsOf8(DigitsOf(CodesOf(codes, row, rows), s, cut.dac_bits)));
      }
      *digit_sums++ = static_cast<int32_t>(hn::GetLane(hn::SumOfLanes(d64, sum)));
    }
  }
}

void CutByteDigitsT(const CodeCut& cut, size_t copies, const int32_t* HWY_RESTRICT order, const ByteUnit* units,
                    size_t num_units, uint8_t* HWY_RESTRICT digits) {
  constexpr size_t kChunk = kByteUnit * kByteRows;
  const Bytes d;
  const size_t rows = static_cast<size_t>(cut.rows);
  const size_t chunks = (rows + kByteRows - 1) / kByteRows;
  for (size_t u = 0; u < num_units; ++u, digits += copies * chunks * kChunk) {
    uint8_t* row_of_unit = digits;
    for (int i = 0; i < units[u].vectors; ++i) {
      const uint8_t* codes = cut.low + static_cast<int64_t>(order[units[u].first_place + i]) * cut.stride;
      for (int s = 0; s < units[u].streams; ++s, row_of_unit += kByteRows) {
        for (size_t c = 0; c < chunks; ++c) {
          const auto digit = DigitsOf(CodesOf(codes, c * kByteRows, rows), s, cut.dac_bits);
          hn::Store(digit, d, row_of_unit + c * kChunk);
          if (copies == 1) continue;
          const auto scaled = hn::BitCast(d, hn::ShiftLeft<7>(hn::BitCast(Words(), digit)));
          hn::Store(scaled, d, row_of_unit + (chunks + c) * kChunk);
        }
      }
    }
  }
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
          kCopies<kCut> * chunks * kByteUnit * kByteRows};
}

// What multiplies units, 64 rows of digits, with the levels of blocks of columns: calls take(unit, row, column, sums,
// is_last) for the rows in use, from the first to the last of every unit.

// The matrix unit. Its tiles, 16 rows of 64 bytes, are there as long as the object; 0 to 2 hold levels, 3 and 4 digits,
// 5 to 7 sums.
template <Cut kCut>
class Tiles {
 public:
  HWY_INLINE Tiles() {
    alignas(64) uint8_t config[64] = {1};  // palette 1
    for (size_t tile = 0; tile < 8; ++tile) {
      config[16 + 2 * tile] = 64;  // bytes of a row
      config[48 + tile] = kTileRows;
    }
    asm volatile("ldtilecfg %0" : : "m"(config) : "memory");
  }
  HWY_INLINE ~Tiles() { asm volatile("tilerelease"); }

  // The sums of every unit are taken while the tiles of the next one are multiplied.
  template <class Rows, class Take>
  HWY_INLINE void Multiply(const Layout& layout, size_t begin, size_t end, size_t col, const uint8_t* digits,
                           const int8_t* levels, const Rows& rows_of, const Take& take) {
    HWY_ALIGN int32_t sums[2][kSums<kCut> * kUnitSums];
    if (layout.chunks == 1) LoadLevels(levels);
    for (size_t u = begin; u <= end; ++u) {
      const size_t rows = u < end ? rows_of(u) : 0;
      for (size_t row = 0; row < kByteUnit; row += kTileRows) {
        if (row < rows) MultiplyTile(layout, digits + u * layout.unit_bytes + row * kByteRows, levels);
        if (u > begin) {
          const size_t all = rows_of(u - 1);
          for (size_t r = row; r < HWY_MIN(all, row + kTileRows); ++r) {
            take(u - 1, r, col, LoadSums(sums[(u - 1) % 2] + r * kTileCols), r + 1 == all);
          }
        }
        if (row < rows) StoreSums(sums[u % 2] + row * kTileCols);
      }
    }
  }

 private:
  template <int kTile>
  HWY_INLINE static void Load(const void* from) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(size_t{64}), "i"(kTile) : "memory");
  }
  template <int kTile>
  HWY_INLINE static void Store(void* to) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(size_t{64}), "i"(kTile) : "memory");
  }
  template <int kTile>
  HWY_INLINE static void Clear() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  // sums += unsigned digits * signed levels.
  template <int kSums, int kDigits, int kLevels>
  HWY_INLINE static void Multiply() {
    asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kDigits), "i"(kLevels));
  }

  HWY_INLINE static void MultiplyTile(const Layout& layout, const uint8_t* digits, const int8_t* levels) {
    Clear<5>();
    if (kCut != Cut::kOne) Clear<6>();
    if (kCut == Cut::kThree) Clear<7>();
    for (size_t c = 0; c < layout.chunks; ++c, digits += kByteUnit * kByteRows) {
      if (layout.chunks > 1) LoadLevels(levels + c * layout.chunk_bytes);
      MultiplyChunk(digits, digits + layout.chunks * kByteUnit * kByteRows);
    }
  }

  HWY_INLINE static void StoreSums(int32_t* sums) {
    Store<5>(sums);
    if (kCut != Cut::kOne) Store<6>(sums + kUnitSums);
    if (kCut == Cut::kThree) Store<7>(sums + 2 * kUnitSums);
  }

  // Of one row.
  HWY_INLINE static Sums<kCut> LoadSums(const int32_t* sums) {
    Sums<kCut> row;
    for (size_t n = 0; n < kSums<kCut>; ++n) row.part[n] = hn::Load(I(), sums + n * kUnitSums);
    return row;
  }

  HWY_INLINE static void LoadLevels(const int8_t* bytes) {
    Load<0>(bytes);
    if (kCut == Cut::kOne) return;
    Load<1>(bytes + kTileBytes);
    Load<2>(bytes + 2 * kTileBytes);
  }

  // `scaled`: the same digits times 128.
  HWY_INLINE static void MultiplyChunk(const uint8_t* digits, const uint8_t* scaled) {
    Load<3>(digits);
    Multiply<5, 3, 0>();
    if (kCut == Cut::kBits) {
      Load<4>(scaled);
      Multiply<6, 3, 2>();
      Multiply<5, 4, 1>();
    }
    if (kCut == Cut::kThree) {
      Multiply<6, 3, 1>();
      Multiply<7, 3, 2>();
    }
  }
};

// Vectors of bytes.
template <Cut kCut>
class Vectors {
 public:
  template <class Rows, class Take>
  HWY_INLINE void Multiply(const Layout& layout, size_t begin, size_t end, size_t col, const uint8_t* digits,
                           const int8_t* levels, const Rows& rows_of, const Take& take) {
    for (size_t u = begin; u < end; ++u) {
      const size_t rows = rows_of(u);
      for (size_t row = 0; row < rows; row += kRows) {
        Sums<kCut> sums[kRows];
        MultiplyRows(layout, digits + u * layout.unit_bytes + row * kByteRows, levels, sums);
#pragma GCC unroll 16
        for (size_t r = 0; r < kRows; ++r) {  // of which each has its registers
          if (row + r < rows) take(u, row + r, col, sums[r], row + r + 1 == rows);
        }
      }
    }
  }

 private:
  static constexpr size_t kRows = kCut == Cut::kOne ? 16 : 8;  // whose sums are in registers

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
    const size_t scaled = layout.chunks * kByteUnit * kByteRows;  // from digits to the same times 128
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (size_t n = 0; n < kSums<kCut>; ++n) sums[r].part[n] = hn::Zero(di);
    }
    for (size_t first = 0; first < layout.quads; first += kChunkQuads, levels += layout.chunk_bytes) {
      const uint8_t* four = digits + first * kByteUnit * 4;
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
            Add(Four(four + scaled + r * kByteRows), level[1], sums[r].part[0]);
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

// Units that are read for all columns before others are: their digits stay in the first-level cache.
constexpr size_t kTogether = 3;

// Multiplies units with all columns.
template <class Unit, class Rows, class Take>
HWY_INLINE void ForEachRow(const Layout& layout, size_t num_units, size_t cols, const uint8_t* digits,
                           const int8_t* bytes, const Rows& rows_of, const Take& take) {
  Unit unit;
  for (size_t begin = 0; begin < num_units; begin += kTogether) {
    const size_t end = HWY_MIN(begin + kTogether, num_units);
    for (size_t col = 0; col < cols; col += kTileCols) {
      unit.Multiply(layout, begin, end, col, digits, bytes + col / kTileCols * layout.block_bytes, rows_of, take);
    }
  }
}

template <Cut kCut, class Unit, Form kForm, bool kShared>
HWY_NOINLINE void ReadUnits(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  const I di;
  Constants constants(reads.readout);
  constants.per_lsb = hn::Set(F(), reads.readout.per_lsb * cut.unit);
  const bool clamps = reads.readout.clamps;
  const bool counted = clamps && reads.counts;
  const int32_t zero_bits = ZeroBits<kForm>(reads.readout);
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t streams = static_cast<size_t>(reads.streams);
  const int dac_bits = reads.dac_bits;
  const int shift = reads.shift;
  const bool negative = reads.negative;
  const CodeReadout::Shares* HWY_RESTRICT shares = digits.shares;
  const int32_t* HWY_RESTRICT order = digits.order;
  const ByteUnit* HWY_RESTRICT units = digits.units;
  const VI zero = hn::Set(di, zero_bits);
  const auto rows_of = [&](size_t u) HWY_ATTR { return static_cast<size_t>(units[u].vectors * units[u].streams); };
  // Of the vector whose streams are being taken.
  size_t place = 0, stream = 0, unit_streams = 0;
  VI total = hn::Zero(di);
  SaturatedLanes saturated;
  const auto take = [&](size_t u, size_t row, size_t col, const Sums<kCut>& sums, bool is_last) HWY_ATTR {
    if (row == 0) {
      place = static_cast<size_t>(units[u].first_place);
      unit_streams = static_cast<size_t>(units[u].streams);
    }
    const VI bits =
        Convert<kForm, kShared>(Current<kCut>(sums), shares[place * streams + stream], constants, clamps, saturated);
    const VI code = hn::Sub(bits, zero);
    total = stream == 0 ? code : hn::Add(total, hn::ShiftLeftSame(code, static_cast<int>(stream) * dac_bits));
    if (++stream == unit_streams) {
      AddTotal(total, hn::Zero(di), shift, negative, reads.sums + static_cast<size_t>(order[place]) * cols + col);
      stream = 0;
      ++place;
    }
    if (counted && is_last) {
      saturated.AddTo(reads, col);
      saturated = SaturatedLanes();
    }
  };
  ForEachRow<Unit>(LayoutOf<kCut>(reads.rows, reads.cols), static_cast<size_t>(digits.num_units), cols, digits.digits,
                   bytes, rows_of, take);
}

template <Cut kCut, class Unit, Form kForm>
HWY_INLINE void ReadUnitsAs(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  if (reads.level_share != 0) return ReadUnits<kCut, Unit, kForm, true>(reads, cut, bytes, digits);
  ReadUnits<kCut, Unit, kForm, false>(reads, cut, bytes, digits);
}

template <Cut kCut, class Unit>
HWY_INLINE void ReadBytesAs(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  switch (FormOf(reads.readout)) {
    case Form::kCodes:
      return ReadUnitsAs<kCut, Unit, Form::kCodes>(reads, cut, bytes, digits);
    case Form::kLevels:
      return ReadUnitsAs<kCut, Unit, Form::kLevels>(reads, cut, bytes, digits);
    case Form::kLevelsFused:
      return ReadUnitsAs<kCut, Unit, Form::kLevelsFused>(reads, cut, bytes, digits);
  }
}

template <template <Cut> class Unit>
HWY_INLINE void ReadBytesWith(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                              const ByteDigits& digits) {
  switch (cut.cut) {
    case Cut::kOne:
      return ReadBytesAs<Cut::kOne, Unit<Cut::kOne>>(reads, cut, bytes, digits);
    case Cut::kBits:
      return ReadBytesAs<Cut::kBits, Unit<Cut::kBits>>(reads, cut, bytes, digits);
    case Cut::kThree:
      return ReadBytesAs<Cut::kThree, Unit<Cut::kThree>>(reads, cut, bytes, digits);
  }
}

void ReadBytesT(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes, const ByteDigits& digits,
                bool on_tiles) {
  if (on_tiles) return ReadBytesWith<Tiles>(reads, cut, bytes, digits);
  ReadBytesWith<Vectors>(reads, cut, bytes, digits);
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

template <Cut kCut, class Unit>
HWY_NOINLINE void ReadFoldedAs(const FoldedByteReads& reads) {
  const hn::CappedTag<double, 8> d;
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const auto unit = hn::Set(d, reads.negative ? -reads.cut.unit : reads.cut.unit);
  const bool add = reads.add;
  double* HWY_RESTRICT all_sums = reads.sums;
  const auto rows_of = [&](size_t u) HWY_ATTR { return HWY_MIN(vectors - u * kByteUnit, size_t{kByteUnit}); };
  const auto take = [&](size_t u, size_t row, size_t col, const Sums<kCut>& sums, bool) HWY_ATTR {
    double* to = all_sums + (u * kByteUnit + row) * cols + col;
    for (const bool upper : {false, true}) {
      double* half = to + (upper ? kTileCols / 2 : 0);
      const auto product = Product<kCut>(d, sums, upper);
      hn::StoreU(add ? hn::MulAdd(product, unit, hn::LoadU(d, half)) : hn::Mul(product, unit), d, half);
    }
  };
  ForEachRow<Unit>(LayoutOf<kCut>(reads.rows, reads.cols), (vectors + kByteUnit - 1) / kByteUnit, cols, reads.codes,
                   reads.bytes, rows_of, take);
}

template <template <Cut> class Unit>
HWY_INLINE void ReadFoldedWith(const FoldedByteReads& reads) {
  if (reads.cut.cut == Cut::kOne) return ReadFoldedAs<Cut::kOne, Unit<Cut::kOne>>(reads);
  ReadFoldedAs<Cut::kThree, Unit<Cut::kThree>>(reads);
}

void ReadFoldedBytesT(const FoldedByteReads& reads, bool on_tiles) {
  if (on_tiles) return ReadFoldedWith<Tiles>(reads);
  ReadFoldedWith<Vectors>(reads);
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // AVX-512

#if HWY_ONCE
namespace rxnn {

#if (HWY_TARGETS & HWY_AVX3) != 0 && HWY_ARCH_X86_64
#define RXNN_BYTE_KERNEL(call) N_AVX3::call
#else
#define RXNN_BYTE_KERNEL(call) HWY_ABORT("no products of bytes")
#endif

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
void ReadBytesCpu(const CodeReads& reads, const LevelBytes& cut, const std::int8_t* bytes, const ByteDigits& digits) {
  RXNN_BYTE_KERNEL(ReadBytesT(reads, cut, bytes, digits, BestByteProducts() == ByteProducts::kTiles));
}
void ReadFoldedBytesCpu(const FoldedByteReads& reads) {
  RXNN_BYTE_KERNEL(ReadFoldedBytesT(reads, BestByteProducts() == ByteProducts::kTiles));
}

}  // namespace rxnn
#endif
