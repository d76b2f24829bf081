#include "circuit/netlist.hpp"

#include <Eigen/SparseCholesky>
#include <algorithm>
#include <cstddef>
#include <numeric>
#include <stdexcept>
#include <utility>

namespace rxnn::circuit {
namespace {

class NetlistBuilder {
 public:
  NetlistBuilder(int rows, int cols)
      : rows_(rows), cols_(cols), terminals_(rows + cols), parent_(terminals_ + 2 * rows * cols) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  int driver(int row) const { return row; }
  int sense(int col) const { return rows_ + col; }
  int word(int row, int col) const { return terminals_ + row * cols_ + col; }
  int bit(int row, int col) const { return word(row, col) + rows_ * cols_; }

  void AddWire(int a, int b, double ohm) {
    if (ohm > 0) {
      resistors_.push_back({a, b, 1 / static_cast<Real>(ohm)});
    } else {
      Merge(a, b);
    }
  }
  void AddCell(int row, int col, double siemens) { resistors_.push_back({word(row, col), bit(row, col), siemens}); }

  // Numbers what is left after merging; terminals keep their numbers.
  Netlist Build() {
    Netlist netlist;
    netlist.terminals = terminals_;
    std::vector<int> number(parent_.size());
    for (std::size_t node = 0; node < parent_.size(); ++node) {
      if (Root(node) == static_cast<int>(node)) number[node] = netlist.nodes++;
    }
    for (const Resistor& r : resistors_) netlist.resistors.push_back({number[Root(r.a)], number[Root(r.b)], r.siemens});
    for (int node = word(0, 0); node < bit(0, 0); ++node) {
      netlist.word.push_back(number[Root(node)]);
      netlist.bit.push_back(number[Root(node + rows_ * cols_)]);
    }
    return netlist;
  }

 private:
  int Root(int node) {
    while (parent_[node] != node) node = parent_[node] = parent_[parent_[node]];
    return node;
  }
  // The smaller number stays, so that a terminal stays one.
  void Merge(int a, int b) {
    a = Root(a);
    b = Root(b);
    parent_[std::max(a, b)] = std::min(a, b);
  }

  int rows_, cols_, terminals_;
  std::vector<int> parent_;
  std::vector<Resistor> resistors_;
};

}  // namespace

Netlist BuildNetlist(const double* g, int rows, int cols, const WireResistances& wires) {
  NetlistBuilder net(rows, cols);
  for (int i = 0; i < rows; ++i) {
    if (HasNearEnd(wires.wordline_driven, i)) net.AddWire(net.driver(i), net.word(i, 0), wires.source_ohm);
    if (HasFarEnd(wires.wordline_driven, i)) net.AddWire(net.driver(i), net.word(i, cols - 1), wires.source_ohm);
    for (int j = 0; j + 1 < cols; ++j) net.AddWire(net.word(i, j), net.word(i, j + 1), wires.wordline_segment(j));
  }
  for (int j = 0; j < cols; ++j) {
    for (int i = 0; i + 1 < rows; ++i) net.AddWire(net.bit(i, j), net.bit(i + 1, j), wires.bitline_segment(i));
    if (HasNearEnd(wires.bitline_sensed, j)) net.AddWire(net.bit(rows - 1, j), net.sense(j), wires.sink_ohm);
    if (HasFarEnd(wires.bitline_sensed, j)) net.AddWire(net.bit(0, j), net.sense(j), wires.sink_ohm);
  }
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) net.AddCell(i, j, g[i * cols + j]);
  }
  return net.Build();
}

Admittance Stamp(const Netlist& netlist) {
  const int terminals = netlist.terminals;
  const int unknowns = netlist.nodes - terminals;
  std::vector<Eigen::Triplet<Real>> uu, ut;
  Matrix tt = Matrix::Zero(terminals, terminals);
  const auto add = [&](int a, int b, Real siemens) {
    if (a >= terminals && b >= terminals) {
      uu.emplace_back(a - terminals, b - terminals, siemens);
    } else if (a >= terminals) {
      ut.emplace_back(a - terminals, b, siemens);
    } else if (b < terminals) {
      tt(a, b) += siemens;
    }
  };
  for (const Resistor& r : netlist.resistors) {
    add(r.a, r.a, r.siemens);
    add(r.b, r.b, r.siemens);
    add(r.a, r.b, -r.siemens);
    add(r.b, r.a, -r.siemens);
  }
  Admittance y{SparseMatrix(unknowns, unknowns), SparseMatrix(unknowns, terminals), std::move(tt)};
  y.uu.setFromTriplets(uu.begin(), uu.end());
  y.ut.setFromTriplets(ut.begin(), ut.end());
  return y;
}

Matrix SolveUnknowns(const Admittance& y, const Matrix& terminal_volts) {
  if (y.uu.rows() == 0) return Matrix(0, terminal_volts.cols());
  const Eigen::SimplicialLDLT<SparseMatrix> solver(y.uu);
  if (solver.info() != Eigen::Success) throw std::runtime_error("the nodal matrix of the array could not be factored");
  const Matrix drive = -(y.ut * terminal_volts);
  return solver.solve(drive);
}

}  // namespace rxnn::circuit
