// One source, compiled by Highway once for every instruction set of the processor family; the best one that the machine
// has is chosen at run time. Only plain arrays in here, as in vmm_cpu.cpp.
#include "vmm/code_reads_cpu.hpp"

#undef HWY_DISABLED_TARGETS
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "vmm/table_reads_cpu.cpp"
#include "hwy/foreach_target.h"
// foreach_target.h comes first.
#include "hwy/highway.h"
#include "vmm/code_convert-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
// Groups that are added before their number is asked for again: an end that the processor did not foresee costs more
// than the entries, zeros, that are added in vain.
constexpr size_t kStraightGroups = 4;

// Levels in tables, as floats or as whole numbers of a unit.
HWY_INLINE VF TableLevel(F, VF level, VF) { return level; }
HWY_INLINE VI TableLevel(I, VF level, VF per_unit) { return hn::NearestInt(hn::Mul(level, per_unit)); }

// Their sums as floats, in units.
HWY_INLINE VF SumOfTables(VF sum) { return sum; }
HWY_INLINE VF SumOfTables(VI sum) { return hn::ConvertTo(F(), sum); }

// The partial currents of a group: entry e is the sum of the rows whose bit in e is set.
template <class D, size_t kCols>
HWY_INLINE void BuildGroup(const float* HWY_RESTRICT levels, size_t rows, const CodeReads& reads,
                           hn::TFromD<D>* HWY_RESTRICT table) {
  const D d;
  const size_t stride = static_cast<size_t>(reads.level_stride);
  const VF share = hn::Set(F(), reads.level_share);
  const VF per_unit = hn::Set(F(), reads.level_unit == 0 ? 1 : 1 / reads.level_unit);
  for (size_t n = 0; n < kCols; n += kLanes) {
    hn::Vec<D> row[kTableRows];
    for (size_t i = 0; i < kTableRows; ++i) {
      row[i] =
          i < rows ? TableLevel(d, hn::Add(hn::LoadU(F(), levels + i * stride + n), share), per_unit) : hn::Zero(d);
    }
    const hn::Vec<D> low[4] = {hn::Zero(d), row[0], row[1], hn::Add(row[0], row[1])};
    const hn::Vec<D> high[4] = {hn::Zero(d), row[2], row[3], hn::Add(row[2], row[3])};
    for (size_t h = 0; h < 4; ++h) {
      for (size_t e = 0; e < 4; ++e) {
        hn::Store(h == 0 ? low[e] : hn::Add(low[e], high[h]), d, table + (h * 4 + e) * kCols + n);
      }
    }
  }
}

template <class D, size_t kCols>
HWY_NOINLINE void BuildTables(const float* HWY_RESTRICT levels, size_t rows, const CodeReads& reads,
                              hn::TFromD<D>* HWY_RESTRICT tables) {
  static_assert(kTableRows == 4 && kTableEntries == 16, "sums of BuildGroup");
  for (size_t i = 0; i < rows; i += kTableRows, tables += kTableEntries * kCols) {
    BuildGroup<D, kCols>(levels + i * static_cast<size_t>(reads.level_stride),
                         HWY_MIN(rows - i, static_cast<size_t>(kTableRows)), reads, tables);
  }
}

// An entry of tables of kCols columns. Where several vectors are added from it, its address is put into one register:
// an addition that loads from the sum of two registers is two operations on Intel's processors.
template <class T, size_t kCols>
HWY_INLINE const T* EntryAt(const char* base, size_t offset) {
  const char* entry = base + offset * (kCols / kPanelPad);
#if HWY_COMPILER_GCC || HWY_COMPILER_CLANG
  if (kCols > kLanes) asm("" : "+r"(entry));
#endif
  return reinterpret_cast<const T*>(entry);
}

// Adds the entries that offsets kBegin to kEnd - 1 point at, or starts with them. Offsets come two at a time, for loads
// are what there are too few of, and every other entry goes to a second sum, so that additions need not wait for each
// other.
template <size_t kBegin, size_t kEnd, class D, size_t kVectors>
HWY_INLINE void AddEntries(D d, const char* HWY_RESTRICT base, const uint16_t* HWY_RESTRICT offsets,
                           hn::Vec<D> (&x)[kVectors], hn::Vec<D> (&odd)[kVectors]) {
  using T = hn::TFromD<D>;
  constexpr size_t kCols = kVectors * kLanes;
#pragma GCC unroll 16
  for (size_t g = kBegin; g < kEnd; g += 2) {
    uint32_t two;
    hwy::CopyBytes<sizeof(two)>(offsets + g, &two);  // little-endian, as all targets that have vectors are run
    const T* entry = EntryAt<T, kCols>(base, two & 0xFFFF);
    const T* odd_entry = EntryAt<T, kCols>(base, two >> 16);
#pragma GCC unroll 16
    for (size_t n = 0; n < kVectors; ++n) {
      const hn::Vec<D> part = hn::Load(d, entry + n * kLanes);
      x[n] = g == 0 ? part : hn::Add(x[n], part);
    }
#pragma GCC unroll 16
    for (size_t n = 0; n < kVectors; ++n) {
      const hn::Vec<D> part = hn::Load(d, odd_entry + n * kLanes);
      odd[n] = g == 0 ? part : hn::Add(odd[n], part);
    }
  }
}

// Entries kBegin to groups - 1 and up to three zeros.
template <size_t kBegin, class D, size_t kVectors>
HWY_INLINE void AddGroups(D d, const char* HWY_RESTRICT base, const uint16_t* HWY_RESTRICT offsets, size_t groups,
                          hn::Vec<D> (&x)[kVectors], hn::Vec<D> (&odd)[kVectors]) {
  static_assert(kTableGroups % kStraightGroups == 0, "all groups");
  constexpr size_t kEnd = kBegin + kStraightGroups;
  AddEntries<kBegin, kEnd>(d, base, offsets, x, odd);
  if constexpr (kEnd < kTableGroups) {
    if (groups > kEnd) AddGroups<kEnd>(d, base, offsets, groups, x, odd);
  }
}

// The sum of the entries of one chunk of digits. Its groups without a one are left out: the same vectors are read again
// for other columns, so that processors foresee where they end.
template <class D, size_t kVectors>
HWY_INLINE void SumEntries(D d, const hn::TFromD<D>* HWY_RESTRICT tables, const uint16_t* HWY_RESTRICT offsets,
                           hn::Vec<D> (&x)[kVectors]) {
  const char* base = reinterpret_cast<const char*>(tables);
  hn::Vec<D> odd[kVectors];
  AddGroups<0>(d, base, offsets, offsets[kTableGroups], x, odd);
#pragma GCC unroll 16
  for (size_t n = 0; n < kVectors; ++n) x[n] = hn::Add(x[n], odd[n]);
}

// A block of columns of the panel and what the kernels below need of one chunk of its rows.
template <class T>
struct TableBlock {
  const T* tables;
  const uint16_t* offsets;  // of the chunk
  T* currents;              // [vectors][streams][columns of the block], of the chunks before; null without another
  size_t col;
};

// Adds the chunk to the kept currents, or starts them.
template <class D, size_t kCols>
HWY_NOINLINE void KeepCurrents(const CodeReads& reads, const TableBlock<hn::TFromD<D>>& block, bool start) {
  const D d;
  constexpr size_t kVectors = kCols / kLanes;
  const size_t count = static_cast<size_t>(reads.vectors) * reads.streams;
  for (size_t q = 0; q < count; ++q) {
    hn::TFromD<D>* kept = block.currents + q * kCols;
    hn::Vec<D> x[kVectors];
    SumEntries(d, block.tables, block.offsets + q * kChunkOffsets, x);
    for (size_t n = 0; n < kVectors; ++n) {
      hn::Store(start ? x[n] : hn::Add(hn::Load(d, kept + n * kLanes), x[n]), d, kept + n * kLanes);
    }
  }
}

// The last chunk: currents, converters, shift and add in registers.
template <class D, size_t kCols, Form kForm, bool kShared>
HWY_NOINLINE void ConvertBlock(const CodeReads& reads, const TableDigits& digits,
                               const TableBlock<hn::TFromD<D>>& block) {
  const D d;
  const I di;
  constexpr size_t kVectors = kCols / kLanes;
  const size_t streams = static_cast<size_t>(reads.streams);
  const Constants constants(reads.readout, reads.level_unit == 0 ? 1 : reads.level_unit);
  const bool clamps = reads.readout.clamps;
  const int32_t zero_bits = ZeroBits<kForm>(reads.readout);
  SaturatedLanes saturated[kVectors];
  // Copies: what is written below could be any of these numbers, for all the compiler knows.
  const hn::TFromD<D>* HWY_RESTRICT tables = block.tables;
  const hn::TFromD<D>* HWY_RESTRICT currents = block.currents;
  const uint16_t* HWY_RESTRICT offsets = block.offsets;
  const CodeReadout::Shares* HWY_RESTRICT shares = digits.shares;
  const int32_t* HWY_RESTRICT order = digits.order;
  int32_t* HWY_RESTRICT sums = reads.sums + block.col;
  const size_t cols = static_cast<size_t>(reads.cols);
  const int shift = reads.shift;
  const bool negative = reads.negative;
  for (size_t to_read = 1; to_read <= streams; ++to_read) {
    const VI zeros = hn::Set(di, static_cast<int32_t>(SummedZeros(zero_bits, to_read, 1)));
    const size_t end = static_cast<size_t>(digits.first[to_read + 1]);
    for (size_t place = static_cast<size_t>(digits.first[to_read]); place < end; ++place) {
      VI total[kVectors];
      for (size_t n = 0; n < kVectors; ++n) total[n] = hn::Zero(di);
      for (size_t s = to_read; s-- > 0;) {
        const size_t q = place * streams + s;
        hn::Vec<D> x[kVectors];
        SumEntries(d, tables, offsets + q * kChunkOffsets, x);
        if (currents) {
          for (size_t n = 0; n < kVectors; ++n) {
            x[n] = hn::Add(x[n], hn::Load(d, currents + q * kCols + n * kLanes));
          }
        }
        for (size_t n = 0; n < kVectors; ++n) {
          const VI code = Convert<kForm, kShared>(SumOfTables(x[n]), shares[q], constants, clamps, saturated[n]);
          total[n] = hn::Add(hn::Add(total[n], total[n]), code);
        }
      }
      int32_t* to = sums + static_cast<size_t>(order[place]) * cols;
      for (size_t n = 0; n < kVectors; ++n) AddTotal(total[n], zeros, shift, negative, to + n * kLanes);
    }
  }
  if (!clamps || !reads.counts) return;
  for (size_t n = 0; n < kVectors; ++n) saturated[n].AddTo(reads, block.col + n * kLanes);
}

template <class D, size_t kCols, Form kForm>
HWY_INLINE void ReadBlock(const CodeReads& reads, const TableDigits& digits, size_t col, hn::TFromD<D>* scratch) {
  const size_t rows = static_cast<size_t>(reads.rows);
  const size_t chunk_offsets = static_cast<size_t>(reads.vectors) * reads.streams * kChunkOffsets;
  hn::TFromD<D>* const currents = rows > kChunkRows ? scratch + kTableFloats : nullptr;
  TableBlock<hn::TFromD<D>> block = {scratch, digits.offsets, currents, col};
  for (size_t row = 0; row < rows; row += kChunkRows, block.offsets += chunk_offsets) {
    const size_t count = HWY_MIN(rows - row, static_cast<size_t>(kChunkRows));
    BuildTables<D, kCols>(reads.levels + row * static_cast<size_t>(reads.level_stride) + col, count, reads, scratch);
    if (row + kChunkRows < rows) {
      KeepCurrents<D, kCols>(reads, block, row == 0);
    } else if (reads.level_share != 0) {
      ConvertBlock<D, kCols, kForm, true>(reads, digits, block);
    } else {
      ConvertBlock<D, kCols, kForm, false>(reads, digits, block);
    }
  }
}

template <class D, Form kForm>
HWY_INLINE void ReadTablesIn(const CodeReads& reads, const TableDigits& digits, float* scratch) {
  // Room for as many whole numbers.
  auto* room = reinterpret_cast<hn::TFromD<D>*>(scratch);
  const size_t cols = static_cast<size_t>(reads.cols);
  size_t col = 0;
  for (; col + kTableCols <= cols; col += kTableCols) ReadBlock<D, kTableCols, kForm>(reads, digits, col, room);
  if (col < cols) ReadBlock<D, kPanelPad, kForm>(reads, digits, col, room);
}

template <Form kForm>
HWY_INLINE void ReadTablesAs(const CodeReads& reads, const TableDigits& digits, float* scratch) {
  if (reads.level_unit == 0) return ReadTablesIn<F, kForm>(reads, digits, scratch);
  ReadTablesIn<I, kForm>(reads, digits, scratch);
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

// Bit `bit` of 64 bytes.
HWY_INLINE uint64_t BitsOfChunk(const uint8_t* HWY_RESTRICT bytes, int bit) {
  const hn::CappedTag<uint8_t, kChunkRows> d;
  constexpr size_t kBytes = hn::MaxLanes(d);
  const auto mask = hn::Set(d, static_cast<uint8_t>(1u << bit));
  uint64_t word = 0;
  for (size_t i = 0; i < kChunkRows; i += kBytes) {
    alignas(8) uint8_t bits[8] = {};
    hn::StoreMaskBits(d, hn::TestBit(hn::LoadU(d, bytes + i), mask), bits);
    uint64_t part;
    hwy::CopyBytes<8>(bits, &part);  // little-endian, as all targets that have vectors are run
    word |= part << i;
  }
  return word;
}

HWY_INLINE int32_t CountOnes(uint64_t word) {
  word -= word >> 1 & 0x5555555555555555u;
  word = (word & 0x3333333333333333u) + (word >> 2 & 0x3333333333333333u);
  word = (word + (word >> 4)) & 0x0F0F0F0F0F0F0F0Fu;
  return static_cast<int32_t>(word * 0x0101010101010101u >> 56);
}

void CutBitsT(const CodeCut& cut, uint64_t* HWY_RESTRICT words, int32_t* HWY_RESTRICT digit_sums) {
  const size_t rows = static_cast<size_t>(cut.rows);
  const size_t chunks = (rows + kChunkRows - 1) / kChunkRows;
  const size_t last_rows = rows - (chunks - 1) * kChunkRows;
  const uint64_t last_mask = ~uint64_t{0} >> (kChunkRows - last_rows);
  for (size_t v = 0; v < static_cast<size_t>(cut.vectors); ++v) {
    const int64_t at = static_cast<int64_t>(v) * cut.stride;
    for (int s = 0; s < cut.streams; ++s) {
      const uint8_t* bytes = (s < 8 ? cut.low : cut.high) + at;
      int32_t ones = 0;
      for (size_t c = 0; c < chunks; ++c) {
        const uint64_t bits = BitsOfChunk(bytes + c * kChunkRows, s % 8);
        const uint64_t word = c + 1 < chunks ? bits : bits & last_mask;
        ones += CountOnes(word);
        *words++ = word;
      }
      *digit_sums++ = ones;
    }
  }
}

// The groups of one word of digits that have a one: bytes from the start of tables of kPanelPad columns to their
// entries, and how many there are.
HWY_INLINE void OffsetsOfWord(uint64_t word, uint16_t* HWY_RESTRICT offsets) {
  static_assert(kTableRows == 4 && kTableGroups == 16, "nibbles of a word");
  constexpr int32_t kEntryBytes = kPanelPad * static_cast<int32_t>(sizeof(float));
  const I di;
  const hn::RebindToUnsigned<I> du;
  const hn::Rebind<uint16_t, I> dw;
  HWY_ALIGN int32_t places[kTableGroups + kLanes] = {};
  size_t groups = 0;
  for (size_t g = 0; g < kTableGroups; g += kLanes) {
    const VI group = hn::Iota(di, static_cast<int32_t>(g));
    const auto is_low = hn::Lt(group, hn::Set(di, kTableGroups / 2));
    const VI half = hn::IfThenElse(is_low, hn::Set(di, static_cast<int32_t>(word & 0xFFFFFFFF)),
                                   hn::Set(di, static_cast<int32_t>(word >> 32)));
    const VI shift = hn::ShiftLeft<2>(hn::And(group, hn::Set(di, kTableGroups / 2 - 1)));
    const VI entry = hn::And(hn::BitCast(di, hn::Shr(hn::BitCast(du, half), hn::BitCast(du, shift))),
                             hn::Set(di, kTableEntries - 1));
    const VI place = hn::Mul(hn::Add(entry, hn::Mul(group, hn::Set(di, kTableEntries))), hn::Set(di, kEntryBytes));
    const auto has_one = hn::Ne(entry, hn::Zero(di));
    hn::StoreU(hn::Compress(place, has_one), di, places + groups);
    groups += hn::CountTrue(di, has_one);
  }
  // What is beyond points at the first table's zero.
  for (size_t g = 0; g < kTableGroups; g += kLanes) {
    const auto is_group = hn::Lt(hn::Iota(di, static_cast<int32_t>(g)), hn::Set(di, static_cast<int32_t>(groups)));
    hn::StoreU(hn::DemoteTo(dw, hn::IfThenElseZero(is_group, hn::Load(di, places + g))), dw, offsets + g);
  }
  offsets[kTableGroups] = static_cast<uint16_t>(groups);
}

void TableOffsetsT(const uint64_t* words, const int32_t* order, size_t vectors, size_t streams, size_t chunks,
                   uint16_t* offsets) {
  for (size_t c = 0; c < chunks; ++c) {
    for (size_t place = 0; place < vectors; ++place) {
      const uint64_t* of_vector = words + static_cast<size_t>(order[place]) * streams * chunks + c;
      for (size_t s = 0; s < streams; ++s, offsets += kChunkOffsets) OffsetsOfWord(of_vector[s * chunks], offsets);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn {

HWY_EXPORT(ReadTablesT);
HWY_EXPORT(CutBitsT);
HWY_EXPORT(TableOffsetsT);

void ReadTablesCpu(const CodeReads& reads, const TableDigits& digits, float* scratch) {
  HWY_DYNAMIC_DISPATCH(ReadTablesT)(reads, digits, scratch);
}
void CutBitsCpu(const CodeCut& cut, std::uint64_t* words, std::int32_t* digit_sums) {
  HWY_DYNAMIC_DISPATCH(CutBitsT)(cut, words, digit_sums);
}
void TableOffsetsCpu(const std::uint64_t* words, const std::int32_t* order, int vectors, int streams, int chunks,
                     std::uint16_t* offsets) {
  HWY_DYNAMIC_DISPATCH(TableOffsetsT)
  (words, order, static_cast<size_t>(vectors), static_cast<size_t>(streams), static_cast<size_t>(chunks), offsets);
}

}  // namespace rxnn
#endif
