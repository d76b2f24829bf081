// What both extractions ask of their arguments.
#pragma once

#include "rxnn/hardware.hpp"

namespace rxnn::circuit {

// Largest values taken, far beyond any device; within them no intermediate result overflows.
constexpr double kMaxSiemens = 1e6;
constexpr double kMaxOhm = 1e15;

// Throws std::invalid_argument unless count, rows and cols are positive, every conductance is 0 to kMaxSiemens and
// every resistance 0 to kMaxOhm.
void CheckArrays(const double* g, int count, int rows, int cols, const WireResistances& wires);

}  // namespace rxnn::circuit
