// ProgramCells (rxnn/device.hpp) for many arrays on a GPU: the same draws of Philox, so the same chip. Plain C++;
// pointers are to the memory of the device.
#pragma once

#include <cstdint>

#include "rxnn/hardware.hpp"
#include "rxnn/random.hpp"

namespace rxnn::cuda {

// What programming needs to know of the hardware and the chip.
struct CellLaw {
  std::uint32_t key[2] = {};
  std::int64_t cells = 0;           // of one array
  const double* nominal = nullptr;  // [2^cell_bits] siemens
  const double* sigma = nullptr;    // [2^cell_bits] relative deviation
  bool varies = false;
  bool log_normal = false;
  bool drifts = false;
  double drift_nu = 0, drift_nu_sigma = 0, drift_ratio = 1;  // t / t0
  double stuck_on_rate = 0, stuck_off_rate = 0;
  double g_on = 0, g_off = 0;

  // Without the tables.
  static CellLaw Of(const Hardware& hardware, const ChipRandom& random);
};

// g[array][cell], siemens, of digits[array][cell]; the first array is number `first_array` of its layer. Uniform draws
// are the CPU's to the bit; logarithm, cosine, exponential and power differ by the last places.
void ProgramCells(const CellLaw& law, std::uint32_t first_array, int arrays, const std::uint16_t* digits, double* g);

// Blocks of Philox4x32-10 for the counters `first` .. of one draw: bits[i][4].
void PhiloxBlocks(const CellLaw& law, Draw draw, std::uint32_t array, std::uint64_t first, int count,
                  std::uint32_t* bits);

}  // namespace rxnn::cuda
