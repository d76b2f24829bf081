// Reads whose converters give whole numbers (CodeReadout): shift-and-add in integers. Two kernels for one contract: a
// blocked multiplication for digits of any width, and tables for digits of one bit.
//
// Tables. The rows of a panel are cut into groups of four; for every group and column the 16 possible partial currents
// are added up once, 32 columns side by side. The current of 64 rows is then at most 16 loads and additions instead of
// 64 multiply-adds: groups whose digits are all 0, about half of them behind a ReLU, are left out. The tables of 64
// rows and 32 columns (32 KiB) stay in a first-level cache while all digits of a block of vectors pass by; taller
// panels go 64 rows at a time.
//
// Four files: this contract, code_reads.cpp (checks, order of the vectors), code_reads_cpu.cpp (for every instruction
// set, chosen at run time) and code_reads_reference.cpp (the readable truth).
#pragma once

#include <cstdint>

#include "vmm/code_readout.hpp"
#include "vmm/vmm.hpp"

namespace rxnn {

inline constexpr int kDigitPad = 16;      // row strides of digits are multiples of this
inline constexpr int kTableRows = 4;      // rows of a group
inline constexpr int kTableEntries = 16;  // partial currents of a group
inline constexpr int kTableCols = 32;     // columns side by side; the last of a panel may be kPanelPad
inline constexpr int kTableGroups = 16;   // groups of a chunk
inline constexpr int kChunkRows = 64;
inline constexpr int kChunkOffsets = kTableGroups + 2;  // stored per chunk: one for each group, and their number
inline constexpr int kTableFloats = kTableGroups * kTableEntries * kTableCols;

// One matrix of one panel, read `streams` times for each of `vectors` input vectors. With
//   current = sum_row digits[vector][stream][row] * levels[row][col]:
//   sums[vector][col] += +-2^shift sum_stream 2^(dac_bits stream) n(current, share of [vector][stream]),
// n as readout.Value gives it, `share` of CodeDigits, minus where `negative`. Sums wrap at 32 bits: the caller sees to
// it that they fit. Currents are float32, added in an order of the kernel's choice: exact where levels are whole and
// currents below 2^24.
struct CodeReads {
  int rows = 0;
  int cols = 0;  // stored columns: a multiple of kPanelPad, at most kPanelCols
  int vectors = 0;
  int streams = 0;
  int dac_bits = 0;
  // [rows][level_stride], the first `cols` of each row in use. ReadCodes takes a stride of `cols` and an address
  // aligned to kPanelAlignment, ReadTables any.
  const float* levels = nullptr;
  std::int64_t level_stride = 0;
  CodeReadout readout;
  // ReadTables may take the share of g_off along with the levels, which saves an operation for every current but rounds
  // the sum of both: what g_off adds to a current per digit, or 0 to have shares added to whole currents.
  float level_share = 0;
  // ReadTables may round levels, along with that share, to whole numbers of a unit: sums have no rounding and no order
  // then, and give the codes of products of bytes (LevelBytes::unit). 0: levels as they are.
  float level_unit = 0;
  int shift = 0;
  bool negative = false;
  std::int32_t* sums = nullptr;  // [vectors][cols]
  // Where the readout clamps: counts currents beyond its range in the first used_cols columns; may be null.
  ConversionCounts* counts = nullptr;
  int used_cols = 0;
};

// What a block of input vectors puts on the rows of a tile in one pass: magnitudes of codes, as bytes.
struct CodeCut {
  const std::uint8_t* low = nullptr;   // [vectors][stride], the low bytes
  const std::uint8_t* high = nullptr;  // the high ones; null where codes have no more than 8 bits
  std::int64_t stride = 0;             // kChunkRows bytes can be read wherever one may be
  int rows = 0;
  int vectors = 0;
  int streams = 0;
  int dac_bits = 0;
};

// Digits as the blocked kernel takes them.
struct CodeDigits {
  const float* digits = nullptr;                // [vectors][streams][row_stride], the first `rows` of each in use
  std::int64_t row_stride = 0;                  // a multiple of kDigitPad
  const CodeReadout::Shares* shares = nullptr;  // [vectors][streams]
};

// digits as in CodeDigits, what is beyond `rows` arbitrary; digit_sums [vectors][streams], the sums over the rows.
void CutDigits(const CodeCut& cut, std::int64_t row_stride, float* digits, std::int32_t* digit_sums);

void ReadCodes(const CodeReads& reads, const CodeDigits& digits);

// One-bit digits as the table kernel takes them. Vectors are ordered by the number of their streams that need reading:
// those above carry no one.
struct TableDigits {
  const std::uint16_t* offsets = nullptr;       // [chunks][vectors][streams][kChunkOffsets], of TableOffsets
  const CodeReadout::Shares* shares = nullptr;  // [vectors][streams]
  const std::int32_t* order = nullptr;          // [vectors]: the vector at each place; the arrays above go by place
  const std::int32_t* first = nullptr;  // [streams + 2]: places first[n] .. first[n + 1] - 1 have n streams to read
};

// words [vectors][streams][chunks], bit i of a word the digit of row 64 chunk + i, and digit_sums [vectors][streams].
// dac_bits is 1.
void CutBits(const CodeCut& cut, std::uint64_t* words, std::int32_t* digit_sums);

// How many groups of rows with a one a read of a chunk has on average, over the streams that are read.
double GroupsPerRead(const std::uint64_t* words, const std::int32_t* order, const std::int32_t* first, int streams,
                     int chunks);

// order [vectors] and first [streams + 2] of TableDigits. `skip_zeros`: a stream without a one may go unread.
void OrderVectors(const std::int32_t* digit_sums, int vectors, int streams, bool skip_zeros, std::int32_t* order,
                  std::int32_t* first);

// offsets of TableDigits from the words of CutBits.
void TableOffsets(const std::uint64_t* words, const std::int32_t* order, int vectors, int streams, int chunks,
                  std::uint16_t* offsets);

// `scratch`: kTableFloats floats aligned to kPanelAlignment and, where rows > kChunkRows, another
// vectors * streams * kTableCols.
void ReadTables(const CodeReads& reads, const TableDigits& digits, float* scratch);

// scaled[col] = sums[col] * unit - constant, for a multiple of kPanelPad columns.
void ScaleSums(const std::int32_t* sums, int cols, double unit, double constant, double* scaled);

// ReadCodes in double, one column after the other, with the readout's own arithmetic; share = off_level times the sum
// of digits. 64-bit sums show what 32 bits would not hold.
void ReadCodesReference(const CodeReads& reads, const CodeDigits& digits, const Readout& readout, double off_level,
                        std::int64_t* sums);

}  // namespace rxnn
