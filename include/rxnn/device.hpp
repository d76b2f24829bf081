// Cells: the conductance a digit is programmed to, and what the device makes of it.
#pragma once

#include <cstdint>
#include <vector>

#include "rxnn/hardware.hpp"
#include "rxnn/random.hpp"

namespace rxnn {

// Nominal conductance of digit d, siemens: g_off + d (g_on - g_off) / (2^cell_bits - 1).
double NominalConductance(const Hardware& hardware, int digit);

// Programs one physical array: `digits` are rows x cols (row-major) of hardware.rows x hardware.cols cells, `array`
// names the array within the layer. Returns rows x cols conductances, siemens, with variation and stuck cells applied
// (a stuck cell is stuck whatever was programmed; stuck-on is decided before stuck-off, at most one of them holds).
std::vector<double> ProgramCells(const Hardware& hardware, const ChipRandom& random, std::uint32_t array,
                                 const std::vector<std::uint16_t>& digits);

}  // namespace rxnn
