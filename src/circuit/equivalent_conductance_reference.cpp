// Nodal analysis: netlist -> merge -> stamp -> solve -> extract.
#include "circuit/check_array.hpp"
#include "circuit/netlist.hpp"
#include "rxnn/circuit.hpp"

namespace rxnn {

void EquivalentConductanceReference(const double* g, int rows, int cols, const WireResistances& wires, double* g_eq) {
  circuit::CheckArray(rows, cols, wires);
  circuit::CheckCells(g, 1, rows, cols);
  const circuit::Admittance y = Stamp(circuit::BuildNetlist(g, rows, cols, wires));
  // One volt at one driver after the other; currents into the terminals are Y_tt V + Y_tu U.
  circuit::Matrix volts = circuit::Matrix::Zero(rows + cols, rows);
  volts.topRows(rows).setIdentity();
  const circuit::Matrix currents = y.tt.leftCols(rows) + y.ut.transpose() * SolveUnknowns(y, volts);
  for (int i = 0; i < rows; ++i) {
    // What enters the array from a virtual ground is minus what the sense amplifier reads.
    for (int j = 0; j < cols; ++j) g_eq[i * cols + j] = static_cast<double>(-currents(rows + j, i));
  }
}

}  // namespace rxnn
