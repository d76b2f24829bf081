// The extraction of one array: from bit line to bit line towards the drivers.
#pragma once

#include <hwy/aligned_allocator.h>

#include <cstddef>

#include "rxnn/hardware.hpp"

namespace rxnn::circuit {

// Workspace and method for arrays of one shape. Not thread-safe: one per thread.
class ArraySweep {
 public:
  ArraySweep(int rows, int cols, const WireResistances& wires);

  // g, g_eq: rows x cols, row-major, checked by the caller; g_eq may be g.
  void Extract(const double* g, double* g_eq);

 private:
  // The vectors kept beside the couplings.
  enum { kPivotSum = 0, kRowSum = 1, kFirstLine = 2 };  // 1 + r y; y; x of line 0

  void AddLine(int line);
  void PassResistance(double r, int lines);
  void ChangeUnit(double ohm);

  // Place of a cell in g and g_eq.
  int Cell(int line, int terminal) const {
    return mirrored_ ? line * terminals_ + terminal : (terminals_ - 1 - terminal) * lines_ + (lines_ - 1 - line);
  }
  double* Couplings(int terminal) { return rows_.get() + terminal * stride_; }
  double* Vectors(int terminal) { return Couplings(terminal) + padded_; }

  WireResistances wires_;  // exchanged, if mirrored

  // A circuit of resistances is reciprocal: with word lines and bit lines, drivers and sense amplifiers exchanged, G_eq
  // is transposed. The array is swept over `lines_`, each with `terminals_` cells; swept over word lines it is
  // mirrored. Lines count from the one farthest from the drivers, terminals from the one nearest to the sense
  // amplifiers (of the mirrored array, if it is).
  bool mirrored_;
  int lines_;
  int terminals_;

  // What the lines swept so far put on the word lines: the admittance Y as couplings a_pq = -Y_pq, in units of
  // 1 / unit_ohm_, and row sums y; and x, the equivalent conductances of these lines by themselves. Rows
  // [a | 1 + r y | y | x], the layout of InvertAndApply.
  double unit_ohm_ = 1;
  int padded_;  // terminals_, rounded up to blocks
  std::ptrdiff_t stride_;
  hwy::AlignedFreeUniquePtr<double[]> rows_;
  hwy::AlignedFreeUniquePtr<double[]> scratch_;
  hwy::AlignedFreeUniquePtr<double[]> cells_;  // lines_ x terminals_
};

}  // namespace rxnn::circuit
