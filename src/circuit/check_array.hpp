// What both extractions ask of their arguments.
#pragma once

#include "rxnn/hardware.hpp"

namespace rxnn::circuit {

// Largest values taken, far beyond any device; within them no intermediate result overflows.
constexpr int kMaxSide = 4096;
constexpr double kMaxSiemens = 1e6;
constexpr double kMaxOhm = 1e15;

// Both throw std::invalid_argument with what is wrong and what is allowed.
void CheckArray(int rows, int cols, const WireResistances& wires);
void CheckCells(const double* g, int count, int rows, int cols);

}  // namespace rxnn::circuit
