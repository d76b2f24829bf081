// The array as resistors between nodes: what nodal analysis starts from.
#pragma once

#include <Eigen/Dense>
#include <Eigen/Sparse>
#include <vector>

#include "rxnn/hardware.hpp"

namespace rxnn::circuit {

// Stamping adds cell conductances to wire conductances that are 1e9 times larger where segments have a milliohm: double
// precision would keep seven digits of a cell, extended precision keeps ten.
using Real = long double;
using SparseMatrix = Eigen::SparseMatrix<Real>;
using Matrix = Eigen::Matrix<Real, Eigen::Dynamic, Eigen::Dynamic>;

struct Resistor {
  int a;
  int b;
  Real siemens;
};

// Nodes joined by 0 ohm are one. Nodes 0 .. rows-1 are the drivers, the next `cols` are the virtual grounds of the
// sense amplifiers: voltages are given at these `terminals`, all others are unknown.
struct Netlist {
  int terminals = 0;
  int nodes = 0;
  std::vector<Resistor> resistors;
  std::vector<int> word;  // node of the word line at every cell, rows x cols
  std::vector<int> bit;   // node of the bit line at every cell, rows x cols
};

// g: rows x cols, siemens.
Netlist BuildNetlist(const double* g, int rows, int cols, const WireResistances& wires);

// The admittance matrix in blocks: unknown nodes u, terminals t.
struct Admittance {
  SparseMatrix uu, ut;
  Matrix tt;
};

Admittance Stamp(const Netlist& netlist);

// Voltages of the unknown nodes for those of the terminals (terminals x any number of cases); empty where every node is
// a terminal. Throws std::runtime_error where the matrix cannot be factored.
Matrix SolveUnknowns(const Admittance& y, const Matrix& terminal_volts);

}  // namespace rxnn::circuit
