// One source, compiled by Highway once for every instruction set of the processor family; the best one that the machine
// has is chosen at run time. Only plain arrays in here, as in vmm_cpu.cpp.
#include "vmm/code_reads_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/code_reads_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using F = hn::CappedTag<float, kTableCols>;
using I = hn::RebindToSigned<F>;
using VF = hn::Vec<F>;
using VI = hn::Vec<I>;
constexpr size_t kLanes = hn::MaxLanes(F());
constexpr size_t kBlockVectors = kTableCols / kLanes;  // SIMD vectors of a block of 16 columns

// ---- Converters -----------------------------------------------------------------------------------------------------

enum class Form { kCodes, kLevels, kLevelsFused };

struct Constants {
  VF per_lsb, magic, low, high, lsb;
  explicit Constants(const CodeReadout& readout)
      : per_lsb(hn::Set(F(), readout.per_lsb)),
        magic(hn::Set(F(), CodeReadout::kMagic)),
        low(hn::Set(F(), readout.low)),
        high(hn::Set(F(), readout.high)),
        lsb(hn::Set(F(), readout.lsb)) {}
};

// The bits of a float whose low ones hold n; those of n = 0 are ZeroBits.
template <Form kForm>
HWY_INLINE VI Convert(VF x, const CodeReadout::Shares& shares, const Constants& c, bool clamps) {
  const F d;
  VF t = hn::Add(hn::MulAdd(c.per_lsb, x, hn::Set(d, shares.in_codes)), c.magic);
  if (clamps) t = hn::Min(hn::Max(t, c.low), c.high);
  if (kForm == Form::kLevels) {
    t = hn::Add(hn::MulSub(hn::Sub(t, c.magic), c.lsb, hn::Set(d, shares.levels)), c.magic);
  }
  if (kForm == Form::kLevelsFused) t = hn::MulAdd(t, c.lsb, hn::Set(d, shares.fused));
  return hn::BitCast(I(), t);
}

template <Form kForm>
HWY_INLINE int32_t ZeroBits(const CodeReadout& readout) {
  const float zero = kForm == Form::kLevelsFused ? readout.fused_magic : CodeReadout::kMagic;
  int32_t bits;
  hwy::CopyBytes<sizeof(bits)>(&zero, &bits);
  return bits;
}

// What `streams` times ZeroBits add up to under shift-and-add, modulo 2^32.
HWY_INLINE uint32_t SummedZeros(int32_t zero_bits, size_t streams, int dac_bits) {
  uint32_t sum = 0;
  for (size_t s = 0; s < streams; ++s) sum = (sum << dac_bits) + static_cast<uint32_t>(zero_bits);
  return sum;
}

// sums += +-2^shift (total - zeros).
HWY_INLINE void AddTotal(VI total, VI zeros, const CodeReads& reads, int32_t* HWY_RESTRICT sums) {
  const I di;
  const VI term = hn::ShiftLeftSame(hn::Sub(total, zeros), reads.shift);
  const VI sum = hn::LoadU(di, sums);
  hn::StoreU(reads.negative ? hn::Sub(sum, term) : hn::Add(sum, term), di, sums);
}

HWY_INLINE Form FormOf(const CodeReadout& readout) {
  if (!readout.whole_levels) return Form::kCodes;
  return HWY_NATIVE_FMA && readout.fused_magic != 0 ? Form::kLevelsFused : Form::kLevels;
}

// ---- Blocked multiplication -----------------------------------------------------------------------------------------

// A block holds kBlockRows rows of digits times kColumnVectors SIMD vectors of columns in registers: 24 of 32
// accumulators where there are 32 registers, 12 of 16 elsewhere.
constexpr size_t kBlockRows = 6;
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr size_t kColumnVectors = 4;
#else
constexpr size_t kColumnVectors = 2;
#endif
// Rows of digits whose currents are kept between multiplication and converters.
constexpr size_t kKeptRows = 48;

// currents[q][col] = sum_row digits[q][row] levels[row][col] for kRows rows of digits and kVectors SIMD vectors.
template <size_t kRows, size_t kVectors>
HWY_INLINE void Block(const float* HWY_RESTRICT digits, size_t row_stride, const float* HWY_RESTRICT levels,
                      size_t rows, size_t cols, float* HWY_RESTRICT currents) {
  const F d;
  VF sums[kRows][kVectors];
#pragma GCC unroll 8
  for (size_t q = 0; q < kRows; ++q) {
#pragma GCC unroll 8
    for (size_t n = 0; n < kVectors; ++n) sums[q][n] = hn::Zero(d);
  }
  for (size_t i = 0; i < rows; ++i) {
    VF row[kVectors];
#pragma GCC unroll 8
    for (size_t n = 0; n < kVectors; ++n) row[n] = hn::Load(d, levels + i * cols + n * kLanes);
#pragma GCC unroll 8
    for (size_t q = 0; q < kRows; ++q) {
      const VF digit = hn::Set(d, digits[q * row_stride + i]);
#pragma GCC unroll 8
      for (size_t n = 0; n < kVectors; ++n) sums[q][n] = hn::MulAdd(digit, row[n], sums[q][n]);
    }
  }
#pragma GCC unroll 8
  for (size_t q = 0; q < kRows; ++q) {
#pragma GCC unroll 8
    for (size_t n = 0; n < kVectors; ++n) hn::Store(sums[q][n], d, currents + q * kPanelCols + n * kLanes);
  }
}

// The same for all columns of a panel.
template <size_t kRows>
HWY_NOINLINE void RowCurrents(const float* HWY_RESTRICT digits, size_t row_stride, const CodeReads& reads,
                              float* HWY_RESTRICT currents) {
  const size_t rows = static_cast<size_t>(reads.rows);
  const size_t cols = static_cast<size_t>(reads.cols);
  size_t j = 0;
  for (; j + kColumnVectors * kLanes <= cols; j += kColumnVectors * kLanes) {
    Block<kRows, kColumnVectors>(digits, row_stride, reads.levels + j, rows, cols, currents + j);
  }
  switch ((cols - j) / kLanes) {
    case 3:
      return Block<kRows, 3>(digits, row_stride, reads.levels + j, rows, cols, currents + j);
    case 2:
      return Block<kRows, 2>(digits, row_stride, reads.levels + j, rows, cols, currents + j);
    case 1:
      return Block<kRows, 1>(digits, row_stride, reads.levels + j, rows, cols, currents + j);
    default:
      return;
  }
}

HWY_INLINE void Currents(const float* HWY_RESTRICT digits, size_t row_stride, const CodeReads& reads, size_t count,
                         float* HWY_RESTRICT currents) {
  size_t q = 0;
  for (; q + kBlockRows <= count; q += kBlockRows) {
    RowCurrents<kBlockRows>(digits + q * row_stride, row_stride, reads, currents + q * kPanelCols);
  }
  digits += q * row_stride;
  currents += q * kPanelCols;
  switch (count - q) {
    case 5:
      return RowCurrents<5>(digits, row_stride, reads, currents);
    case 4:
      return RowCurrents<4>(digits, row_stride, reads, currents);
    case 3:
      return RowCurrents<3>(digits, row_stride, reads, currents);
    case 2:
      return RowCurrents<2>(digits, row_stride, reads, currents);
    case 1:
      return RowCurrents<1>(digits, row_stride, reads, currents);
    default:
      return;
  }
}

template <Form kForm>
HWY_INLINE void ReadCodesAs(const CodeReads& reads, const CodeDigits& digits) {
  const I di;
  const size_t streams = static_cast<size_t>(reads.streams);
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t vectors = static_cast<size_t>(reads.vectors);
  const size_t row_stride = static_cast<size_t>(digits.row_stride);
  const size_t together = kKeptRows / streams;
  const Constants constants(reads.readout);
  const bool clamps = reads.readout.clamps;
  const VI zeros =
      hn::Set(di, static_cast<int32_t>(SummedZeros(ZeroBits<kForm>(reads.readout), streams, reads.dac_bits)));
  HWY_ALIGN float currents[kKeptRows * kPanelCols];
  for (size_t first = 0; first < vectors; first += together) {
    const size_t count = HWY_MIN(together, vectors - first);
    Currents(digits.digits + first * streams * row_stride, row_stride, reads, count * streams, currents);
    for (size_t v = 0; v < count; ++v) {
      const CodeReadout::Shares* shares = digits.shares + (first + v) * streams;
      for (size_t j = 0; j < cols; j += kLanes) {
        const float* at = currents + v * streams * kPanelCols + j;
        VI total = hn::Zero(di);
        for (size_t s = streams; s-- > 0;) {
          const VI n = Convert<kForm>(hn::Load(F(), at + s * kPanelCols), shares[s], constants, clamps);
          total = hn::Add(hn::ShiftLeftSame(total, reads.dac_bits), n);
        }
        AddTotal(total, zeros, reads, reads.sums + (first + v) * cols + j);
      }
    }
  }
}

void ReadCodesT(const CodeReads& reads, const CodeDigits& digits) {
  if (reads.streams == 0) return;
  switch (FormOf(reads.readout)) {
    case Form::kCodes:
      return ReadCodesAs<Form::kCodes>(reads, digits);
    case Form::kLevels:
      return ReadCodesAs<Form::kLevels>(reads, digits);
    case Form::kLevelsFused:
      return ReadCodesAs<Form::kLevelsFused>(reads, digits);
  }
}

// ---- Tables ---------------------------------------------------------------------------------------------------------

// The partial currents of a group: entry e is the sum of the rows whose bit in e is set.
HWY_INLINE void BuildGroup(const float* HWY_RESTRICT levels, size_t rows, size_t cols, float* HWY_RESTRICT table) {
  const F d;
  for (size_t n = 0; n < kTableCols; n += kLanes) {
    VF row[kTableRows];
    for (size_t i = 0; i < kTableRows; ++i) row[i] = i < rows ? hn::Load(d, levels + i * cols + n) : hn::Zero(d);
    VF low[8] = {hn::Zero(d), row[0], row[1], hn::Add(row[0], row[1]), row[2]};
    for (size_t e = 5; e < 8; ++e) low[e] = hn::Add(low[e - 4], row[2]);
    const VF high[4] = {hn::Zero(d), row[3], row[4], hn::Add(row[3], row[4])};
    for (size_t h = 0; h < 4; ++h) {
      for (size_t e = 0; e < 8; ++e) {
        hn::Store(h == 0 ? low[e] : hn::Add(low[e], high[h]), d, table + (h * 8 + e) * kTableCols + n);
      }
    }
  }
}

HWY_NOINLINE void BuildTables(const float* HWY_RESTRICT levels, size_t rows, size_t cols, float* HWY_RESTRICT tables) {
  for (size_t i = 0; i < rows; i += kTableRows, tables += kTableEntries * kTableCols) {
    BuildGroup(levels + i * cols, HWY_MIN(rows - i, static_cast<size_t>(kTableRows)), cols, tables);
  }
}

// x += the entries that the first kGroups offsets point at. Those that no group needs point at a zero.
template <size_t kGroups>
HWY_INLINE void AddEntries(const float* HWY_RESTRICT tables, const uint16_t* HWY_RESTRICT offsets,
                           VF (&x)[kBlockVectors]) {
  const F d;
  const char* base = reinterpret_cast<const char*>(tables);
#pragma GCC unroll 16
  for (size_t g = 0; g < kGroups; ++g) {
    const float* entry = reinterpret_cast<const float*>(base + offsets[g]);
#pragma GCC unroll 16
    for (size_t n = 0; n < kBlockVectors; ++n) x[n] = hn::Add(x[n], hn::Load(d, entry + n * kLanes));
  }
}

// A block of 16 columns of the panel and what the kernels below need of one chunk of its rows.
struct TableBlock {
  const float* tables;
  const uint16_t* offsets;  // of the chunk
  float* currents;          // [vectors][streams][kTableCols], of the chunks before; null where there is no other
  size_t col;
};

// Adds the chunk to the kept currents, or starts them.
HWY_NOINLINE void KeepCurrents(const CodeReads& reads, const TableBlock& block, bool start) {
  const F d;
  const size_t count = static_cast<size_t>(reads.vectors) * reads.streams;
  for (size_t q = 0; q < count; ++q) {
    float* kept = block.currents + q * kTableCols;
    VF x[kBlockVectors];
    for (size_t n = 0; n < kBlockVectors; ++n) x[n] = start ? hn::Zero(d) : hn::Load(d, kept + n * kLanes);
    AddEntries<kTableGroups>(block.tables, block.offsets + q * kChunkOffsets, x);
    for (size_t n = 0; n < kBlockVectors; ++n) hn::Store(x[n], d, kept + n * kLanes);
  }
}

// The last chunk: currents, converters, shift and add in registers.
template <Form kForm, size_t kGroups>
HWY_INLINE void ConvertBlock(const CodeReads& reads, const TableDigits& digits, const TableBlock& block) {
  const F d;
  const I di;
  const size_t streams = static_cast<size_t>(reads.streams);
  const Constants constants(reads.readout);
  const bool clamps = reads.readout.clamps;
  const int32_t zero_bits = ZeroBits<kForm>(reads.readout);
  for (size_t to_read = 1; to_read <= streams; ++to_read) {
    const VI zeros = hn::Set(di, static_cast<int32_t>(SummedZeros(zero_bits, to_read, 1)));
    const size_t end = static_cast<size_t>(digits.first[to_read + 1]);
    for (size_t place = static_cast<size_t>(digits.first[to_read]); place < end; ++place) {
      VI total[kBlockVectors];
      for (size_t n = 0; n < kBlockVectors; ++n) total[n] = hn::Zero(di);
      for (size_t s = to_read; s-- > 0;) {
        const size_t q = place * streams + s;
        VF x[kBlockVectors];
        for (size_t n = 0; n < kBlockVectors; ++n) {
          x[n] = block.currents ? hn::Load(d, block.currents + q * kTableCols + n * kLanes) : hn::Zero(d);
        }
        AddEntries<kGroups>(block.tables, block.offsets + q * kChunkOffsets, x);
        for (size_t n = 0; n < kBlockVectors; ++n) {
          total[n] = hn::Add(hn::Add(total[n], total[n]), Convert<kForm>(x[n], digits.shares[q], constants, clamps));
        }
      }
      int32_t* sums = reads.sums + static_cast<size_t>(digits.order[place]) * reads.cols + block.col;
      for (size_t n = 0; n < kBlockVectors; ++n) AddTotal(total[n], zeros, reads, sums + n * kLanes);
    }
  }
}

template <Form kForm>
HWY_NOINLINE void ConvertChunk(const CodeReads& reads, const TableDigits& digits, const TableBlock& block,
                               size_t groups) {
  if (groups <= 4) {
    ConvertBlock<kForm, 4>(reads, digits, block);
  } else if (groups <= 8) {
    ConvertBlock<kForm, 8>(reads, digits, block);
  } else {
    ConvertBlock<kForm, kTableGroups>(reads, digits, block);
  }
}

template <Form kForm>
HWY_INLINE void ReadTablesAs(const CodeReads& reads, const TableDigits& digits, float* scratch) {
  const size_t rows = static_cast<size_t>(reads.rows);
  const size_t cols = static_cast<size_t>(reads.cols);
  const size_t chunk_offsets = static_cast<size_t>(reads.vectors) * reads.streams * kChunkOffsets;
  TableBlock block;
  block.tables = scratch;
  block.currents = rows > kChunkRows ? scratch + kTableFloats : nullptr;
  for (block.col = 0; block.col < cols; block.col += kTableCols) {
    block.offsets = digits.offsets;
    for (size_t row = 0; row < rows; row += kChunkRows, block.offsets += chunk_offsets) {
      const size_t count = HWY_MIN(rows - row, static_cast<size_t>(kChunkRows));
      BuildTables(reads.levels + row * cols + block.col, count, cols, scratch);
      if (row + kChunkRows < rows) {
        KeepCurrents(reads, block, row == 0);
      } else {
        ConvertChunk<kForm>(reads, digits, block, (count + kTableRows - 1) / kTableRows);
      }
    }
  }
}

void ReadTablesT(const CodeReads& reads, const TableDigits& digits, float* scratch) {
  switch (FormOf(reads.readout)) {
    case Form::kCodes:
      return ReadTablesAs<Form::kCodes>(reads, digits, scratch);
    case Form::kLevels:
      return ReadTablesAs<Form::kLevels>(reads, digits, scratch);
    case Form::kLevelsFused:
      return ReadTablesAs<Form::kLevelsFused>(reads, digits, scratch);
  }
}

// ---- Digits ---------------------------------------------------------------------------------------------------------

template <typename Code>
HWY_INLINE void CutDigitsOf(const CodeCut<Code>& cut, size_t row_stride, float* HWY_RESTRICT digits,
                            int32_t* HWY_RESTRICT digit_sums) {
  const F d;
  const I di;
  const hn::Rebind<Code, F> dc;
  const size_t rows = static_cast<size_t>(cut.rows);
  const VI mask = hn::Set(di, static_cast<int32_t>((1 << cut.dac_bits) - 1));
  for (size_t v = 0; v < static_cast<size_t>(cut.vectors); ++v) {
    const Code* codes = cut.codes + static_cast<int64_t>(v) * cut.code_stride;
    for (int s = 0; s < cut.streams; ++s, digits += row_stride) {
      VI sum = hn::Zero(di);
      for (size_t i = 0; i < rows; i += kLanes) {
        const VI code = hn::PromoteTo(di, hn::LoadU(dc, codes + i));
        const VI digit = hn::And(hn::ShiftRightSame(code, s * cut.dac_bits), mask);
        hn::StoreU(hn::ConvertTo(d, digit), d, digits + i);
        sum = hn::Add(sum, i + kLanes <= rows ? digit : hn::IfThenElseZero(hn::FirstN(di, rows - i), digit));
      }
      *digit_sums++ = hn::GetLane(hn::SumOfLanes(di, sum));
    }
  }
}

// Bit `stream` of 64 codes.
template <typename Code>
HWY_INLINE uint64_t BitsOfChunk(const Code* HWY_RESTRICT codes, int stream) {
  const hn::CappedTag<Code, kChunkRows> d;
  constexpr size_t kCodes = hn::MaxLanes(d);
  const auto bit = hn::Set(d, static_cast<Code>(1u << stream));
  alignas(8) uint8_t bytes[8] = {};
  if (kCodes < 8) {
    uint64_t word = 0;
    for (size_t i = 0; i < kChunkRows; i += kCodes) {
      hn::StoreMaskBits(d, hn::TestBit(hn::LoadU(d, codes + i), bit), bytes);
      word |= static_cast<uint64_t>(bytes[0]) << i;
    }
    return word;
  }
  for (size_t i = 0; i < kChunkRows; i += kCodes) {
    hn::StoreMaskBits(d, hn::TestBit(hn::LoadU(d, codes + i), bit), bytes + i / 8);
  }
  uint64_t word;
  hwy::CopyBytes<8>(bytes, &word);  // little-endian, as all targets that have vectors are run
  return word;
}

HWY_INLINE int32_t CountOnes(uint64_t word) {
  word -= word >> 1 & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
  return static_cast<int32_t>(word * 0x0101010101010101u >> 56);
}

template <typename Code>
HWY_INLINE void CutBitsOf(const CodeCut<Code>& cut, uint64_t* HWY_RESTRICT words, int32_t* HWY_RESTRICT digit_sums) {
  const size_t rows = static_cast<size_t>(cut.rows);
  const size_t chunks = (rows + kChunkRows - 1) / kChunkRows;
  const size_t last_rows = rows - (chunks - 1) * kChunkRows;
  const uint64_t last_mask = ~uint64_t{0} >> (kChunkRows - last_rows);
  for (size_t v = 0; v < static_cast<size_t>(cut.vectors); ++v) {
    const Code* codes = cut.codes + static_cast<int64_t>(v) * cut.code_stride;
    for (int s = 0; s < cut.streams; ++s) {
      int32_t ones = 0;
      for (size_t c = 0; c < chunks; ++c) {
        const uint64_t bits = BitsOfChunk(codes + c * kChunkRows, s);
        const uint64_t word = c + 1 < chunks ? bits : bits & last_mask;
        ones += CountOnes(word);
        *words++ = word;
      }
      *digit_sums++ = ones;
    }
  }
}

void TableOffsetsT(const uint64_t* words, const int32_t* order, size_t vectors, size_t streams, size_t chunks,
                   uint16_t* offsets) {
  constexpr size_t kEntryBytes = kTableCols * sizeof(float);
  for (size_t c = 0; c < chunks; ++c) {
    for (size_t place = 0; place < vectors; ++place) {
      const uint64_t* of_vector = words + static_cast<size_t>(order[place]) * streams * chunks + c;
      for (size_t s = 0; s < streams; ++s, offsets += kChunkOffsets) {
        const uint64_t word = of_vector[s * chunks];
        for (size_t g = 0; g < kChunkOffsets; ++g) {
          const uint64_t entry = g < kTableGroups ? (word >> (kTableRows * g)) & (kTableEntries - 1) : 0;
          // A group without a one points at the first table's zero: the tables of a chunk of few rows end before it.
          offsets[g] = static_cast<uint16_t>(entry == 0 ? 0 : (g * kTableEntries + entry) * kEntryBytes);
        }
      }
    }
  }
}

void CutDigitsBytes(const CodeCut<uint8_t>& cut, size_t row_stride, float* digits, int32_t* digit_sums) {
  CutDigitsOf(cut, row_stride, digits, digit_sums);
}
void CutDigitsWords(const CodeCut<uint16_t>& cut, size_t row_stride, float* digits, int32_t* digit_sums) {
  CutDigitsOf(cut, row_stride, digits, digit_sums);
}
void CutBitsBytes(const CodeCut<uint8_t>& cut, uint64_t* words, int32_t* digit_sums) {
  CutBitsOf(cut, words, digit_sums);
}
void CutBitsWords(const CodeCut<uint16_t>& cut, uint64_t* words, int32_t* digit_sums) {
  CutBitsOf(cut, words, digit_sums);
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(ReadCodesT);
HWY_EXPORT(ReadTablesT);
HWY_EXPORT(CutDigitsBytes);
HWY_EXPORT(CutDigitsWords);
HWY_EXPORT(CutBitsBytes);
HWY_EXPORT(CutBitsWords);
HWY_EXPORT(TableOffsetsT);

void ReadCodesCpu(const CodeReads& reads, const CodeDigits& digits) { HWY_DYNAMIC_DISPATCH(ReadCodesT)(reads, digits); }
void ReadTablesCpu(const CodeReads& reads, const TableDigits& digits, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ReadTablesT)(reads, digits, scratch);
}
void CutDigitsCpu(const CodeCut<uint8_t>& cut, std::int64_t row_stride, float* digits, std::int32_t* digit_sums) {
  HWY_DYNAMIC_DISPATCH(CutDigitsBytes)(cut, static_cast<size_t>(row_stride), digits, digit_sums);
}
void CutDigitsCpu(const CodeCut<uint16_t>& cut, std::int64_t row_stride, float* digits, std::int32_t* digit_sums) {
  HWY_DYNAMIC_DISPATCH(CutDigitsWords)(cut, static_cast<size_t>(row_stride), digits, digit_sums);
}
void CutBitsCpu(const CodeCut<uint8_t>& cut, std::uint64_t* words, std::int32_t* digit_sums) {
  HWY_DYNAMIC_DISPATCH(CutBitsBytes)(cut, words, digit_sums);
}
void CutBitsCpu(const CodeCut<uint16_t>& cut, std::uint64_t* words, std::int32_t* digit_sums) {
  HWY_DYNAMIC_DISPATCH(CutBitsWords)(cut, words, digit_sums);
}
void TableOffsetsCpu(const std::uint64_t* words, const std::int32_t* order, int vectors, int streams, int chunks,
                     std::uint16_t* offsets) {
  HWY_DYNAMIC_DISPATCH(TableOffsetsT)
  (words, order, static_cast<size_t>(vectors), static_cast<size_t>(streams), static_cast<size_t>(chunks), offsets);
}

}  // namespace rxnn
#endif
