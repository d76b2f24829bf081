#include <cstddef>

#include "circuit/check_array.hpp"
#include "circuit/netlist.hpp"
#include "rxnn/circuit.hpp"

namespace rxnn {
void NodeVoltages(const double* g, int rows, int cols, const WireResistances& wires, const double* volts, double* word,
                  double* bit) {
  circuit::CheckArray(rows, cols, wires);
  circuit::CheckCells(g, 1, rows, cols);
  circuit::CheckVolts(volts, 1, rows);
  const circuit::Netlist netlist = circuit::BuildNetlist(g, rows, cols, wires);
  circuit::Matrix terminals = circuit::Matrix::Zero(netlist.terminals, 1);
  for (int i = 0; i < rows; ++i) terminals(i, 0) = volts[i];
  const circuit::Matrix unknowns = SolveUnknowns(Stamp(netlist), terminals);
  const auto volt = [&](int node) {
    const circuit::Real value = node < netlist.terminals ? terminals(node, 0) : unknowns(node - netlist.terminals, 0);
    return static_cast<double>(value);
  };
  for (std::size_t cell = 0; cell < netlist.word.size(); ++cell) {
    word[cell] = volt(netlist.word[cell]);
    bit[cell] = volt(netlist.bit[cell]);
  }
}

}  // namespace rxnn
