// What extractions and solvers ask of their arguments.
#pragma once

#include "rxnn/hardware.hpp"
#include "rxnn/iv_curve.hpp"

namespace rxnn::circuit {

// Largest values taken, far beyond any device; within them no intermediate result overflows.
constexpr int kMaxSide = 4096;
constexpr double kMaxSiemens = 1e6;
constexpr double kMaxOhm = 1e15;

// All throw std::invalid_argument with what is wrong and what is allowed.
void CheckArray(int rows, int cols, const WireResistances& wires);
void CheckCells(const double* g, int count, int rows, int cols);
void CheckCellModel(const CellModel& cell, int rows);
// `count` vectors of `rows` voltages.
void CheckVolts(const double* volts, int count, int rows);

}  // namespace rxnn::circuit
