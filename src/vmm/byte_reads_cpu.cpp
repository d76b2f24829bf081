// Compiled by Highway for AVX-512 alone, which every processor with a matrix unit has. Only plain arrays in here, as in
// vmm_cpu.cpp. Tile instructions are written as assembly: compilers know them only since of late, and offer them as
// such.
#include "vmm/byte_reads_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/byte_reads_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
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

// Tiles 0 to 2 hold levels, 3 and 4 digits, 5 to 7 sums.
template <int kTile>
HWY_INLINE void LoadTile(const void* from) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(size_t{64}), "i"(kTile) : "memory");
}
template <int kTile>
HWY_INLINE void StoreTile(void* to) {
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(size_t{64}), "i"(kTile) : "memory");
}
template <int kTile>
HWY_INLINE void ClearTile() {
  asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
}
// sums += unsigned digits * signed levels.
template <int kSums, int kDigits, int kLevels>
HWY_INLINE void MultiplyTiles() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kDigits), "i"(kLevels));
}

// All tiles: 16 rows of 64 bytes. Tiles are there from here to the end of the scope.
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
};

template <Cut kCut>
constexpr size_t kParts = kCut == Cut::kOne ? 1 : 3;
template <Cut kCut>
constexpr size_t kCopies = kCut == Cut::kBits ? 2 : 1;
template <Cut kCut>
constexpr size_t kSumTiles = kCut == Cut::kOne    ? 1
                             : kCut == Cut::kBits ? 2
                                                  : 3;

template <Cut kCut>
HWY_INLINE void LoadLevels(const int8_t* bytes) {
  LoadTile<0>(bytes);
  if (kCut == Cut::kOne) return;
  LoadTile<1>(bytes + kTileBytes);
  LoadTile<2>(bytes + 2 * kTileBytes);
}

template <Cut kCut>
HWY_INLINE void Clear() {
  ClearTile<5>();
  if (kCut != Cut::kOne) ClearTile<6>();
  if (kCut == Cut::kThree) ClearTile<7>();
}

// `scaled`: the same digits times 128.
template <Cut kCut>
HWY_INLINE void Multiply(const uint8_t* digits, const uint8_t* scaled) {
  LoadTile<3>(digits);
  MultiplyTiles<5, 3, 0>();
  if (kCut == Cut::kBits) {
    LoadTile<4>(scaled);
    MultiplyTiles<6, 3, 2>();
    MultiplyTiles<5, 4, 1>();
  }
  if (kCut == Cut::kThree) {
    MultiplyTiles<6, 3, 1>();
    MultiplyTiles<7, 3, 2>();
  }
}

template <Cut kCut>
HWY_INLINE void Store(int32_t* sums) {
  StoreTile<5>(sums);
  if (kCut != Cut::kOne) StoreTile<6>(sums + kUnitSums);
  if (kCut == Cut::kThree) StoreTile<7>(sums + 2 * kUnitSums);
}

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
  size_t chunks, block_bytes, chunk_bytes, unit_bytes;
};

template <Cut kCut>
HWY_INLINE Layout LayoutOf(int rows, int cols) {
  const size_t chunks = (static_cast<size_t>(rows) + kByteRows - 1) / kByteRows;
  const size_t block_bytes = kParts<kCut> * kTileBytes;
  return {chunks, block_bytes, static_cast<size_t>(cols) / kTileCols * block_bytes,
          kCopies<kCut> * chunks * kByteUnit * kByteRows};
}

// Multiplies one tile of digits of a unit with a block of columns. Of a single chunk the levels are loaded already.
template <Cut kCut>
HWY_INLINE void MultiplyBlock(const Layout& layout, const uint8_t* unit, size_t tile, const int8_t* levels) {
  const uint8_t* digits = unit + tile * kTileBytes;
  Clear<kCut>();
  for (size_t c = 0; c < layout.chunks; ++c, digits += kByteUnit * kByteRows) {
    if (layout.chunks > 1) LoadLevels<kCut>(levels + c * layout.chunk_bytes);
    Multiply<kCut>(digits, digits + layout.chunks * kByteUnit * kByteRows);
  }
}

// Units that are read for all columns before others are: their digits stay in the first-level cache.
constexpr size_t kTogether = 3;

// Multiplies units with all columns; calls read(unit, quarter, column, sums) for the sums of the quarters of every unit
// while the tiles of the next one are multiplied.
template <Cut kCut, class Rows, class Read>
HWY_INLINE void ForEachUnit(const Layout& layout, size_t num_units, size_t cols, const uint8_t* digits,
                            const int8_t* bytes, const Rows& rows_of, const Read& read) {
  HWY_ALIGN int32_t sums[2][kSumTiles<kCut> * kUnitSums];
  const Tiles tiles;
  for (size_t begin = 0; begin < num_units; begin += kTogether) {
    const size_t end = HWY_MIN(begin + kTogether, num_units);
    for (size_t col = 0; col < cols; col += kTileCols) {
      const int8_t* levels = bytes + col / kTileCols * layout.block_bytes;
      if (layout.chunks == 1) LoadLevels<kCut>(levels);
      for (size_t u = begin; u <= end; ++u) {
        const size_t rows = u < end ? rows_of(u) : 0;
        for (size_t tile = 0; tile < kTilesOfUnit; ++tile) {
          const bool multiplies = tile * kTileRows < rows;
          if (multiplies) MultiplyBlock<kCut>(layout, digits + u * layout.unit_bytes, tile, levels);
          if (u > begin) read(u - 1, tile, col, sums[(u - 1) % 2]);
          if (multiplies) Store<kCut>(sums[u % 2] + tile * kTileSums);
        }
      }
    }
  }
}

template <Cut kCut, Form kForm, bool kShared>
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
  ForEachUnit<kCut>(LayoutOf<kCut>(reads.rows, reads.cols), static_cast<size_t>(digits.num_units), cols, digits.digits,
                    bytes, rows_of, read);
}

template <Cut kCut, Form kForm>
HWY_INLINE void ReadUnitsAs(const CodeReads& reads, const LevelBytes& cut, const int8_t* bytes,
                            const ByteDigits& digits) {
  if (reads.level_share != 0) return ReadUnits<kCut, kForm, true>(reads, cut, bytes, digits);
  ReadUnits<kCut, kForm, false>(reads, cut, bytes, digits);
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

template <Cut kCut>
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
  ForEachUnit<kCut>(LayoutOf<kCut>(reads.rows, reads.cols), (vectors + kByteUnit - 1) / kByteUnit, cols, reads.codes,
                    reads.bytes, rows_of, read);
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

#if (HWY_TARGETS & HWY_AVX3) != 0 && HWY_ARCH_X86_64
#define RXNN_BYTE_KERNEL(call) N_AVX3::call
#else
#define RXNN_BYTE_KERNEL(call) HWY_ABORT("no matrix unit")
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
  RXNN_BYTE_KERNEL(ReadBytesT(reads, cut, bytes, digits));
}
void ReadFoldedBytesCpu(const FoldedByteReads& reads) { RXNN_BYTE_KERNEL(ReadFoldedBytesT(reads)); }

}  // namespace rxnn
#endif
