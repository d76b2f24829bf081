// The extraction of many arrays on a GPU, in double: the sweep of array_sweep.hpp, a block of threads for every array.
// Plain C++; pointers are to the memory of the device.
//
// The couplings, row sums and vectors of an array stay in shared memory through the whole sweep; only the cells and
// what the bit lines need come and go. Rows are eliminated one by one: a step reads every number once, adds a product
// to it, and is bound by shared memory. Both triangles of the couplings are kept, so that a pivot's row is its column
// too.
#pragma once

#include <cstddef>

#include "circuit/sweep_frame.hpp"

namespace rxnn::cuda {

// Whether ExtractArrays takes this frame; far drivers need products that it has not.
bool SweepIsKnown(const circuit::SweepFrame& frame);
// Shared memory of a block, and doubles of scratch for each.
std::size_t SweepSharedBytes(const circuit::SweepFrame& frame);
std::size_t SweepScratch(const circuit::SweepFrame& frame);

// g, g_eq: count x rows x cols, siemens; g_eq may be g. `between`, `along`: frame.between_lines and along_line on the
// device. `scratch`: blocks * SweepScratch doubles; arrays are shared out over the `blocks`.
void ExtractArrays(const circuit::SweepFrame& frame, const double* between, const double* along, const double* g,
                   int count, int blocks, double* scratch, double* g_eq);

}  // namespace rxnn::cuda
