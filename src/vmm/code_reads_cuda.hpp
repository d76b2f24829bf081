// Products and converters on the tensor cores of a GPU: code_reads.hpp for a whole layer in one launch. Plain C++; all
// pointers are to the memory of the device.
//
// A block takes 64 vectors and a panel of 64 columns, a warp 32 by 32 of them, through all row tiles. The levels of one
// matrix of a tile come to shared memory while the one before is read. Of every stream the digits are cut in registers,
// multiplied, and the currents go through their converters and into 32-bit sums where they are: nothing is stored
// between the codes and the sums. A product with a matrix of ones gives the sums of the digits, which say what share of
// a current is due to g_off.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmm/code_readout.hpp"
#include "vmm/tiles_cuda.hpp"

namespace rxnn::cuda {

// sums[group][vector][output] = unit sum_tiles,matrices,passes +-2^shift sum_stream 2^(dac_bits stream) n
//                               - per_code sum_inputs code,
// n as CodeReads has it, the minus of polarity 1 and of pass 1. The 32-bit sums of one row tile must fit.
struct LayerReads {
  TiledLayer layer;                      // not folded
  TiledCodes codes;                      // dac_bits at most 8: larger digits are not exact in bf16
  const std::uint32_t* words = nullptr;  // PackLevels
  int parts = 1;
  int streams = 0;
  int dac_bits = 0;
  CodeReadout readout;
  // For every sum of digits; one, and single_share, where they are all alike.
  const CodeReadout::Shares* shares = nullptr;
  bool single_share = false;
  double per_code = 0;
  bool fits = false;       // 32 bits hold the sums of all row tiles
  double* sums = nullptr;  // [groups][vectors][outputs]
  // Currents below and above the range: two numbers that are added to, where the readout clamps.
  unsigned long long* saturated = nullptr;
};

// Shared memory that a block of ReadLayer needs.
std::size_t SharedBytes(const LayerReads& reads);

// Digits of vectors without negative parts take no part in pass 1. Codes are those of the CPU where float32 currents
// are the same; docs/cuda.md bounds how far they are apart.
void ReadLayer(const LayerReads& reads);

}  // namespace rxnn::cuda
