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
  void AddLine(int line);
  void PassResistance(double ohm, int lines);

  // A circuit of resistances is reciprocal: with word lines and bit lines, drivers and sense amplifiers exchanged, G_eq
  // is transposed. The array is swept over `lines_`, each with `terminals_` cells; swept over word lines it is
  // mirrored. Lines count from the one farthest from the drivers, terminals from the one nearest to the sense
  // amplifiers (of the mirrored array, if it is).
  bool mirrored_;
  int lines_;
  int terminals_;
  WireResistances wires_;  // exchanged, if mirrored

  int padded_;             // terminals_, rounded up to blocks
  std::ptrdiff_t stride_;  // of a row [a | e | x_0 .. x_{lines-1}], the layout of InvertAndApply
  hwy::AlignedFreeUniquePtr<double[]> rows_;
  hwy::AlignedFreeUniquePtr<double[]> scratch_;
  hwy::AlignedFreeUniquePtr<double[]> cells_;  // lines_ x terminals_
};

}  // namespace rxnn::circuit
