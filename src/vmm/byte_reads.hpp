// Reads by products of bytes, added up in 32-bit integers. The matrix unit that x86 processors may have (AMX) takes 16
// rows of digits times 64 rows of 16 columns at a time, many times faster than floats are multiplied; vectors of bytes
// (AVX-512 VNNI) take four rows where vectors of floats take one.
//
// Levels become whole numbers of a unit, a power of two, cut into bytes b0, b1, b2 of either sign:
//   kOne    level = unit b0                            whole levels of up to 127
//   kThree  level = unit (b0 + 2^8 b1 + 2^16 b2)       23 bits and a sign; three sums
//   kBits   level = unit (b0 + 2^7 b1 - 2^15 b2)       22 bits and a sign; for digits of one bit, which go in as 1 and
//                                                      as 128, so that the first two bytes share a sum; -2^15 is a
//                                                      word, times which the other sum is added in one operation
// Whole levels have unit 1 and are exact. Of others the unit is about 2^-21 of the largest level, what is lost less
// than the rounding of a float32 sum over some ten rows. Sums of integers have no rounding and no order.
//
// All functions below but Make and MakeUnits want BestByteProducts() to be some.
//
// Files: this contract, byte_reads.cpp (what fits, checks), byte_cuts_cpu.cpp (levels and digits as bytes),
// byte_reads_cpu.cpp and tile_reads_cpu.cpp (the kernels, for vectors and for the matrix unit). The reference is that
// of CodeReads and of FoldedReads.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "vmm/code_reads.hpp"

namespace rxnn {

inline constexpr int kByteRows = 64;  // of a panel that are multiplied together; a panel's are padded to a multiple
inline constexpr int kByteUnit = 64;  // rows of digits of a unit
inline constexpr int kMostByteRows = 256;  // of a panel: 32 bits hold their sums

// How levels are cut into bytes.
struct LevelBytes {
  enum class Cut { kOne, kBits, kThree };
  Cut cut = Cut::kOne;
  float unit = 1;

  // For levels of a size up to `largest`, whole numbers or not, under digits of `dac_bits`. Empty where panels of
  // `rows` rows do not fit.
  static std::optional<LevelBytes> Make(double largest, bool whole, int dac_bits, int rows);

  int parts() const { return cut == Cut::kOne ? 1 : 3; }
  // How often digits are stored: as they are, and times 128.
  int copies() const { return cut == Cut::kBits ? 2 : 1; }
  std::size_t panel_bytes(int rows, int cols) const;
  std::size_t unit_bytes(int rows) const;  // of digits
};

// (levels + share) of a panel as bytes, `bytes` aligned to kPanelAlignment. Rows of levels are `stride` apart.
void CutLevels(const LevelBytes& cut, const float* levels, std::int64_t stride, int rows, int cols, float share,
               std::int8_t* bytes);

// Vectors of neighbouring places whose streams are multiplied together: row v * streams + s of a unit is stream s of
// its v-th vector.
struct ByteUnit {
  std::int32_t first_place = 0;
  std::int32_t vectors = 0;
  std::int32_t streams = 0;  // that are read
};

// Units of all places that have a stream to read; `first` as in TableDigits.
void MakeUnits(const std::int32_t* first, int streams, std::vector<ByteUnit>* units);

struct ByteDigits {
  const std::uint8_t* digits = nullptr;  // [units][chunks of kByteRows rows][tiles of 16][copies][16][kByteRows]
  const ByteUnit* units = nullptr;
  int num_units = 0;
  const CodeReadout::Shares* shares = nullptr;  // [place][streams]
  const std::int32_t* order = nullptr;          // [place]: its vector
};

// Codes of one byte: sums [vectors][streams] of the digits.
void SumByteDigits(const CodeCut& cut, std::int32_t* digit_sums);
// digits of ByteDigits, aligned to kPanelAlignment.
void CutByteDigits(const CodeCut& cut, int copies, const std::int32_t* order, const ByteUnit* units, int num_units,
                   std::uint8_t* digits);

// CodeReads by bytes: reads.levels is not used, `bytes` are what CutLevels makes of it and of reads.level_share.
void ReadBytes(const CodeReads& reads, const LevelBytes& cut, const std::int8_t* bytes, const ByteDigits& digits);

// FoldedReads by bytes, of magnitudes of codes of one byte.
struct FoldedByteReads {
  int rows = 0;
  int cols = 0;
  int vectors = 0;
  const std::uint8_t* codes = nullptr;  // [units][chunks][kByteUnit][kByteRows], as CutByteDigits makes them
  const std::int8_t* bytes = nullptr;
  LevelBytes cut;
  bool negative = false;   // subtract
  bool add = false;        // to what is there; else it is overwritten
  double* sums = nullptr;  // [vectors][cols]
};
void ReadFoldedBytes(const FoldedByteReads& reads);

}  // namespace rxnn
