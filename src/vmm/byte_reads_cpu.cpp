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
constexpr size_t kSumTiles = kCut == Cut::kOne    ? 1
                             : kCut == Cut::kBits ? 2
                                                  : 3;

// The sums of one row, in units.
template <Cut kCut>
HWY_INLINE VF Current(const int32_t* sums) {
  const F d;
  const I di;
  const VI low = hn::Load(di, sums);
  if (kCut == Cut::kOne) return hn::ConvertTo(d, low);
  const VI next = hn::Load(di, sums + kUnitSums);
  if (kCut == Cut::kBits) return hn::ConvertTo(d, hn::Add(low, hn::ShiftLeft<15>(next)));
  const VF high = hn::ConvertTo(d, hn::Load(di, sums + 2 * kUnitSums));
  return hn::MulAdd(high, hn::Set(d, 65536.0f), hn::ConvertTo(d, hn::Add(low, hn::ShiftLeft<8>(next))));
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

// What multiplies a tile, 16 rows of digits of a unit, with the levels of a block of columns. Between Start and Finish
// it may be at work still; Finish sees to it that the sums are there. `rows`: of the tile that are in use.

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

  // A block of columns for the tiles that follow.
  HWY_INLINE void TakeLevels(const Layout& layout, const int8_t* levels) {
    levels_ = levels;
    if (layout.chunks == 1) LoadLevels(levels);
  }

  HWY_INLINE void Start(const Layout& layout, const uint8_t* digits, size_t, int32_t*) {
    Clear<5>();
    if (kCut != Cut::kOne) Clear<6>();
    if (kCut == Cut::kThree) Clear<7>();
    for (size_t c = 0; c < layout.chunks; ++c, digits += kByteUnit * kByteRows) {
      if (layout.chunks > 1) LoadLevels(levels_ + c * layout.chunk_bytes);
      MultiplyChunk(digits, digits + layout.chunks * kByteUnit * kByteRows);
    }
  }

  HWY_INLINE void Finish(int32_t* sums) {
    Store<5>(sums);
    if (kCut != Cut::kOne) Store<6>(sums + kUnitSums);
    if (kCut == Cut::kThree) Store<7>(sums + 2 * kUnitSums);
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

  const int8_t* levels_ = nullptr;
};

// Vectors of bytes.
template <Cut kCut>
class Vectors {
 public:
  HWY_INLINE void TakeLevels(const Layout&, const int8_t* levels) { levels_ = levels; }

  HWY_INLINE void Start(const Layout& layout, const uint8_t* digits, size_t rows, int32_t* sums) {
    for (size_t row = 0; row < rows; row += kRows) {
      Multiply(layout, digits + row * kByteRows, sums + row * kTileCols);
    }
  }

  HWY_INLINE void Finish(int32_t*) {}

 private:
  static constexpr size_t kRows = kCut == Cut::kOne ? 16 : 8;  // whose sums are in registers
  static constexpr size_t kSums = kSumTiles<kCut>;

  // sum += unsigned digits * signed levels, for four rows of each of 16 columns.
  HWY_INLINE static void Add(VI digits, VI levels, VI& sum) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(digits.raw), "v"(levels.raw));
  }

  HWY_NOINLINE void Multiply(const Layout& layout, const uint8_t* HWY_RESTRICT digits,
                             int32_t* HWY_RESTRICT sums) const {
    const I di;
    const uint8_t* HWY_RESTRICT scaled = digits + layout.chunks * kByteUnit * kByteRows;
    VI sum[kRows][kSums];
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (size_t n = 0; n < kSums; ++n) sum[r][n] = hn::Zero(di);
    }
    for (size_t quad = 0; quad < layout.quads; ++quad) {
      const size_t chunk = quad / kChunkQuads;
      const size_t at = quad % kChunkQuads;
      const auto* of_quad = reinterpret_cast<const int32_t*>(levels_ + chunk * layout.chunk_bytes + at * kTileCols * 4);
      VI level[kParts<kCut>];
#pragma GCC unroll 16
      for (size_t p = 0; p < kParts<kCut>; ++p) level[p] = hn::Load(di, of_quad + p * kTileBytes / 4);
      const size_t from = chunk * kByteUnit * kByteRows + at * 4;
#pragma GCC unroll 16
      for (size_t r = 0; r < kRows; ++r) {
        const VI digit = Four(digits + from + r * kByteRows);
        Add(digit, level[0], sum[r][0]);
        if constexpr (kCut == Cut::kBits) {
          Add(digit, level[2], sum[r][1]);
          Add(Four(scaled + from + r * kByteRows), level[1], sum[r][0]);
        }
        if constexpr (kCut == Cut::kThree) {
          Add(digit, level[1], sum[r][1]);
          Add(digit, level[2], sum[r][2]);
        }
      }
    }
#pragma GCC unroll 16
    for (size_t r = 0; r < kRows; ++r) {
#pragma GCC unroll 16
      for (size_t n = 0; n < kSums; ++n) hn::Store(sum[r][n], di, sums + n * kUnitSums + r * kTileCols);
    }
  }

  // Four digits, for every column.
  HWY_INLINE static VI Four(const uint8_t* digits) {
    int32_t four;
    hwy::CopyBytes<sizeof(four)>(digits, &four);
    return hn::Set(I(), four);
  }

  const int8_t* levels_ = nullptr;
};

// Units that are read for all columns before others are: their digits stay in the first-level cache.
constexpr size_t kTogether = 3;

// Multiplies units with all columns; calls read(unit, quarter, column, sums) for the sums of the quarters of every unit
// while the tiles of the next one are multiplied.
template <Cut kCut, class Unit, class Rows, class Read>
HWY_INLINE void ForEachUnit(const Layout& layout, size_t num_units, size_t cols, const uint8_t* digits,
                            const int8_t* bytes, const Rows& rows_of, const Read& read) {
  HWY_ALIGN int32_t sums[2][kSumTiles<kCut> * kUnitSums];
  Unit multiplier;
  for (size_t begin = 0; begin < num_units; begin += kTogether) {
    const size_t end = HWY_MIN(begin + kTogether, num_units);
    for (size_t col = 0; col < cols; col += kTileCols) {
      multiplier.TakeLevels(layout, bytes + col / kTileCols * layout.block_bytes);
      for (size_t u = begin; u <= end; ++u) {
        const size_t rows = u < end ? rows_of(u) : 0;
        for (size_t tile = 0; tile < kTilesOfUnit; ++tile) {
          const bool multiplies = tile * kTileRows < rows;
          int32_t* to = sums[u % 2] + tile * kTileSums;
          if (multiplies) {
            const uint8_t* of_tile = digits + u * layout.unit_bytes + tile * kTileBytes;
            multiplier.Start(layout, of_tile, HWY_MIN(rows - tile * kTileRows, kTileRows), to);
          }
          if (u > begin) read(u - 1, tile, col, sums[(u - 1) % 2]);
          if (multiplies) multiplier.Finish(to);
        }
      }
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
  const auto read = [&](size_t u, size_t quarter, size_t col, const int32_t* sums) HWY_ATTR {
    const ByteUnit unit = units[u];
    const size_t n = static_cast<size_t>(unit.streams);
    const size_t vectors = static_cast<size_t>(unit.vectors);
    SaturatedLanes saturated;
    for (size_t i = vectors * quarter / kTilesOfUnit; i < vectors * (quarter + 1) / kTilesOfUnit; ++i) {
      const size_t place = static_cast<size_t>(unit.first_place) + i;
      const int32_t* of_vector = sums + i * n * kTileCols;
      const CodeReadout::Shares* of_place = shares + place * streams;
      VI total = hn::Zero(di);
      for (size_t s = n; s-- > 0;) {
        const VF current = Current<kCut>(of_vector + s * kTileCols);
        const VI code = Convert<kForm, kShared>(current, of_place[s], constants, clamps, saturated);
        total =
            hn::Add(dac_bits == 1 ? hn::Add(total, total) : hn::ShiftLeftSame(total, dac_bits), hn::Sub(code, zero));
      }
      AddTotal(total, hn::Zero(di), shift, negative, reads.sums + static_cast<size_t>(order[place]) * cols + col);
    }
    if (counted) saturated.AddTo(reads, col);
  };
  const auto rows_of = [&](size_t u) HWY_ATTR { return static_cast<size_t>(units[u].vectors * units[u].streams); };
  ForEachUnit<kCut, Unit>(LayoutOf<kCut>(reads.rows, reads.cols), static_cast<size_t>(digits.num_units), cols,
                          digits.digits, bytes, rows_of, read);
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

// The sums of eight columns of one row in double, exactly: levels of three bytes and sums of them have less than 53
// bits.
template <Cut kCut, class D>
HWY_INLINE hn::Vec<D> Product(D d, const int32_t* sums) {
  const hn::Rebind<int32_t, D> di;
  const auto low = hn::PromoteTo(d, hn::Load(di, sums));
  if (kCut == Cut::kOne) return low;
  const auto next = hn::PromoteTo(d, hn::Load(di, sums + kUnitSums));
  const auto high = hn::PromoteTo(d, hn::Load(di, sums + 2 * kUnitSums));
  return hn::MulAdd(hn::MulAdd(high, hn::Set(d, 256.0), next), hn::Set(d, 256.0), low);
}

template <Cut kCut, class Unit>
HWY_NOINLINE void ReadFoldedAs(const FoldedByteReads& reads) {
  const hn::CappedTag<double, 8> d;
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const auto unit = hn::Set(d, reads.negative ? -reads.cut.unit : reads.cut.unit);
  const auto rows_of = [&](size_t u) HWY_ATTR { return HWY_MIN(vectors - u * kByteUnit, size_t{kByteUnit}); };
  const auto read = [&](size_t u, size_t quarter, size_t col, const int32_t* sums) HWY_ATTR {
    const size_t end = HWY_MIN((quarter + 1) * kTileRows, rows_of(u));
    for (size_t i = quarter * kTileRows; i < end; ++i) {
      double* to = reads.sums + (u * kByteUnit + i) * cols + col;
      for (size_t j = 0; j < kTileCols; j += hn::Lanes(d)) {
        const auto product = Product<kCut>(d, sums + i * kTileCols + j);
        hn::StoreU(reads.add ? hn::MulAdd(product, unit, hn::LoadU(d, to + j)) : hn::Mul(product, unit), d, to + j);
      }
    }
  };
  ForEachUnit<kCut, Unit>(LayoutOf<kCut>(reads.rows, reads.cols), (vectors + kByteUnit - 1) / kByteUnit, cols,
                          reads.codes, reads.bytes, rows_of, read);
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
