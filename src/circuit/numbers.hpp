// The memory that the sweeps work in.
#pragma once

#include <hwy/aligned_allocator.h>

#include <cstddef>
#include <new>

namespace rxnn::circuit {

// Aligned for the kernels.
using Numbers = hwy::AlignedFreeUniquePtr<double[]>;

// `count` numbers, not cleared.
inline Numbers Allocate(std::size_t count) {
  Numbers memory = hwy::AllocateAligned<double>(count);
  if (!memory) throw std::bad_alloc();
  return memory;
}

}  // namespace rxnn::circuit
