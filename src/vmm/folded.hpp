// Ideal converters: one plain product of signed codes and folded levels.
//
// Four files: this contract, folded.cpp (checks), folded_cpu.cpp (for every instruction set, chosen at run time) and
// folded_reference.cpp (the readable truth).
#pragma once

#include <cstdint>

#include "vmm/vmm.hpp"

namespace rxnn {

inline constexpr int kFoldedPad = 16;  // row strides of codes are multiples of this

// sums[vector][col] (+)= sum_row codes[vector][row] * levels[row][col]. Products are added in float32 over the rows of
// one call, in an order of the kernel's choice: exact where codes and levels are whole and their sums below 2^24. What
// calls add to each other is added in double.
struct FoldedReads {
  int rows = 0;
  int cols = 0;  // stored columns: a multiple of kPanelPad, at most kPanelCols
  int vectors = 0;
  const float* codes = nullptr;   // [vectors][row_stride], the first `rows` of each in use
  std::int64_t row_stride = 0;    // a multiple of kFoldedPad
  const float* levels = nullptr;  // [rows][cols], aligned to kPanelAlignment
  bool add = false;               // to what is there; else it is overwritten
  double* sums = nullptr;         // [vectors][cols]
};

// Throws std::invalid_argument for a shape or an alignment that the contract above excludes.
void ReadFolded(const FoldedReads& reads);

// The same in double throughout.
void ReadFoldedReference(const FoldedReads& reads);

// Bytes of codes: [vectors][stride], kFoldedPad of them can be read wherever one may be.
struct CodeBytes {
  const std::uint8_t* low[2] = {};   // of positive parts, and of the magnitudes of negative ones or null
  const std::uint8_t* high[2] = {};  // the same of high bytes; null where codes have no more than 8 bits
  std::int64_t stride = 0;
  int rows = 0;
  int vectors = 0;
};

// Signed codes as ReadFolded takes them, what is beyond `rows` arbitrary.
void JoinCodes(const CodeBytes& bytes, std::int64_t row_stride, float* codes);

}  // namespace rxnn
