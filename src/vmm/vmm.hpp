// The vector-matrix kernels: column currents of arrays, their converters, shift and add.
//
// Arrays come to the kernels in panels: all rows of a tile, at most kPanelCols of its columns, row-major, the columns
// padded with zeros to a multiple of kPanelPad. A panel of 64 x 64 float32 stays in a first-level cache while every
// digit of a block of input vectors passes by.
//
// Four files: this contract, vmm.cpp (checks), vmm_cpu.cpp (one kernel for every instruction set, chosen at run time)
// and vmm_reference.cpp (the readable truth).
#pragma once

#include <cstdint>

#include "rxnn/periphery.hpp"

namespace rxnn {

inline constexpr int kPanelCols = 64;       // most columns of one panel
inline constexpr int kPanelPad = 16;        // a panel's stored columns are a multiple of this
inline constexpr int kPanelAlignment = 64;  // bytes; of the panel's first cell

// What stands between the current of a column and the sum it is added to.
struct Readout {
  Adc adc;                    // bits 0: the current itself is taken
  bool whole_levels = false;  // round to whole levels once the share of g_off is removed

  // What is made of one current, `share` of it due to g_off: Convert(current + share) - share, or the current itself
  // where the converter is ideal.
  double Apply(double current, double share) const;
};

// One panel of `matrices` matrices, each read `reads` times for each of `vectors` input vectors. With
//   current = sum_row digits[read][vector][row] * levels[matrix][row][col]:
//   sums[vector][col] += weights[matrix][read] * readout.Apply(current, shares[read][vector]).
// Weights are powers of two, or their negatives, so that their products are exact. Currents are accumulated in T in the
// order of the rows, all that follows is done in double: where levels and digits are integers and currents below 2^24
// (float) or 2^53 (double), the result is that of the reference to the bit.
template <typename T>
struct PanelReads {
  int rows = 0;
  int cols = 0;  // stored columns: a multiple of kPanelPad, at most kPanelCols
  int vectors = 0;
  int reads = 0;
  int matrices = 0;
  const T* digits = nullptr;        // [reads][vectors][rows]
  const double* shares = nullptr;   // [reads][vectors], current of g_off; may be null where adc.bits is 0
  const T* levels = nullptr;        // [matrices][rows][cols], aligned to kPanelAlignment
  const double* weights = nullptr;  // [matrices][reads]
  Readout readout;
  double* sums = nullptr;  // [vectors][cols]
  // Counts currents beyond the converter's range in the first used_cols columns: its `low` and `high`; may be null.
  ConversionCounts* counts = nullptr;
  int used_cols = 0;
};

// Throws std::invalid_argument for a shape or an alignment that the contract above excludes.
template <typename T>
void ReadPanel(const PanelReads<T>& reads);

// The same, one column after the other in double.
template <typename T>
void ReadPanelReference(const PanelReads<T>& reads);

// sums[col] += weight * readout.Apply(currents[col], share) for the columns of one read; cols is a multiple of
// kPanelPad. Counts as ReadPanel does.
void ConvertCurrents(const Readout& readout, const double* currents, int cols, double share, double weight,
                     double* sums, ConversionCounts* counts = nullptr, int used_cols = 0);

// Cuts input codes into the digits of their streams. Read number pass * streams + stream; pass 0 takes the positive
// parts, pass 1 (where passes is 2) the magnitudes of the negative ones.
template <typename T>
struct DigitCut {
  const std::int32_t* codes = nullptr;  // [vectors][code_stride], the first `rows` of each are taken
  std::int64_t code_stride = 0;
  int rows = 0;
  int vectors = 0;
  int streams = 0;
  int passes = 0;
  int dac_bits = 0;
  T* digits = nullptr;           // out: [passes * streams][vectors][rows]
  double* digit_sums = nullptr;  // out: [passes * streams][vectors], the sum over the rows
};

template <typename T>
void CutDigits(const DigitCut<T>& cut);

}  // namespace rxnn
