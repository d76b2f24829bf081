// What a user may force with environment variables, to compare kernels and instruction sets or to find a fault.
//   RXNN_KERNEL   table, multiply: how one-bit streams are read. Default: from tables where they pay; where there is a
//                 matrix unit and few digits are 0, by that.
//   RXNN_TARGET   amx, vnni, avx512, avx2, sse4, ssse3, baseline: the best instruction set to use. Default: the best
//                 there is.
#pragma once

#include <cstdint>
#include <string>

#include "vmm/byte_products.hpp"

namespace rxnn {

enum class Kernel { kFastest, kTable, kMultiply };

// Of a value of RXNN_KERNEL; empty is the default. Throws std::invalid_argument for another.
Kernel ParseKernel(const std::string& value);

// The Highway targets that a value of RXNN_TARGET excludes; 0 for an empty one and for amx and vnni, which are none.
// Throws std::invalid_argument for a name that is none or that this machine lacks.
std::int64_t ParseTarget(const std::string& value);

// The most that a value of RXNN_TARGET leaves of products of bytes.
ByteProducts ProductsOf(const std::string& value);

// RXNN_KERNEL, read once.
Kernel ChosenKernel();

// Applies RXNN_TARGET to all kernels of the core, the first time it is called.
void ApplyChosenTarget();

}  // namespace rxnn
