// Newton's method on the node voltages of the whole array.
#include <omp.h>

#include <Eigen/SparseCholesky>
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <exception>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "circuit/check_array.hpp"
#include "circuit/netlist.hpp"
#include "rxnn/circuit.hpp"

namespace rxnn {
namespace {

using circuit::Netlist;
using circuit::Real;
using RealVector = Eigen::Matrix<Real, Eigen::Dynamic, 1>;
using DoubleMatrix = Eigen::SparseMatrix<double>;

// One array, solved for one input vector after the other.
class NewtonSolver {
 public:
  NewtonSolver(const double* g, int rows, int cols, const WireResistances& wires, const CellModel& cell)
      : g_(g), rows_(rows), cols_(cols), cell_(cell) {
    // The wires alone; cells are added at their operating point.
    const std::vector<double> open(static_cast<std::size_t>(rows) * cols, 0.0);
    net_ = circuit::BuildNetlist(open.data(), rows, cols, wires);
    unknowns_ = net_.nodes - net_.terminals;
  }

  SolveSummary Solve(const double* volts, const SolveOptions& options, double* currents, double* word, double* bit) {
    volts_ = RealVector::Zero(net_.nodes);
    for (int i = 0; i < rows_; ++i) volts_[i] = volts[i];
    SolveSummary summary = unknowns_ > 0 ? Iterate(options) : SolveSummary{true, 0, 0, "nothing to solve"};
    Store(currents, word, bit);
    return summary;
  }

 private:
  CellPoint At(std::size_t cell, const RealVector& volts) const {
    const double series = cell_.series_ohm.empty() ? 0 : cell_.series_ohm[cell / cols_];
    return EvaluateCell(cell_.curve, g_[cell], series,
                        static_cast<double>(volts[net_.word[cell]] - volts[net_.bit[cell]]));
  }

  // Current that leaves every unknown node: all are 0 in the solution. Wires are summed in extended precision, so that
  // the answer is not the worse for a milliohm.
  RealVector Imbalance(const RealVector& volts) const {
    RealVector sum = RealVector::Zero(net_.nodes);
    for (const circuit::Resistor& r : net_.resistors) {
      const Real current = r.siemens * (volts[r.a] - volts[r.b]);
      sum[r.a] += current;
      sum[r.b] -= current;
    }
    for (std::size_t cell = 0; cell < net_.word.size(); ++cell) {
      const Real current = At(cell, volts).current;
      sum[net_.word[cell]] += current;
      sum[net_.bit[cell]] -= current;
    }
    return sum.tail(unknowns_);
  }

  DoubleMatrix Jacobian() const {
    std::vector<Eigen::Triplet<double>> entries;
    entries.reserve(4 * (net_.resistors.size() + net_.word.size()));
    const auto stamp = [&](int a, int b, double siemens) {
      a -= net_.terminals;
      b -= net_.terminals;
      if (a >= 0) entries.emplace_back(a, a, siemens);
      if (b >= 0) entries.emplace_back(b, b, siemens);
      if (a >= 0 && b >= 0) {
        entries.emplace_back(a, b, -siemens);
        entries.emplace_back(b, a, -siemens);
      }
    };
    for (const circuit::Resistor& r : net_.resistors) stamp(r.a, r.b, static_cast<double>(r.siemens));
    for (std::size_t cell = 0; cell < net_.word.size(); ++cell) {
      stamp(net_.word[cell], net_.bit[cell], At(cell, volts_).slope);
    }
    DoubleMatrix jacobian(unknowns_, unknowns_);
    jacobian.setFromTriplets(entries.begin(), entries.end());
    return jacobian;
  }

  SolveSummary Iterate(const SolveOptions& options) {
    SolveSummary summary;
    const Real largest_volt = volts_.cwiseAbs().maxCoeff();
    RealVector imbalance = Imbalance(volts_);
    for (; summary.iterations < options.max_iterations; ++summary.iterations) {
      const DoubleMatrix jacobian = Jacobian();
      if (!analysed_) solver_->analyzePattern(jacobian);
      analysed_ = true;
      solver_->factorize(jacobian);
      if (solver_->info() != Eigen::Success)
        return Failed(summary, imbalance, "the linearised array could not be factored");
      const Eigen::VectorXd right = (-imbalance).cast<double>();
      const RealVector step = solver_->solve(right).cast<Real>();
      const Real size = step.cwiseAbs().maxCoeff();
      if (!std::isfinite(static_cast<double>(size))) return Failed(summary, imbalance, "the step is not finite");
      const bool last = size <= options.tolerance * largest_volt;
      if (!TakeStep(step, last, &imbalance)) return Failed(summary, imbalance, "no step reduces the imbalance");
      if (last) {
        ++summary.iterations;
        summary.converged = true;
        summary.residual = static_cast<double>(imbalance.cwiseAbs().maxCoeff());
        summary.message = "converged";
        return summary;
      }
    }
    return Failed(summary, imbalance, "the iterations are used up");
  }

  // The whole step, or the largest half, quarter .. of it that makes the imbalance smaller; a step within the tolerance
  // is taken as it is, since rounding decides there what is smaller.
  bool TakeStep(const RealVector& step, bool last, RealVector* imbalance) {
    constexpr Real kSufficient = 1e-4L;
    constexpr int kMostHalvings = 60;
    const Real before = imbalance->norm();
    Real part = 1;
    for (int halving = 0; halving < kMostHalvings; ++halving, part /= 2) {
      RealVector volts = volts_;
      volts.tail(unknowns_) += part * step;
      RealVector after = Imbalance(volts);
      const Real norm = after.norm();
      if (last || norm <= (1 - kSufficient * part) * before) {
        volts_ = std::move(volts);
        *imbalance = std::move(after);
        return true;
      }
    }
    return false;
  }

  static SolveSummary Failed(SolveSummary summary, const RealVector& imbalance, const std::string& why) {
    summary.residual = static_cast<double>(imbalance.cwiseAbs().maxCoeff());
    std::ostringstream message;
    message << "did not converge: " << why << " after " << summary.iterations << " iterations, imbalance "
            << summary.residual << " ampere";
    summary.message = message.str();
    return summary;
  }

  void Store(double* currents, double* word, double* bit) const {
    std::vector<Real> sums(cols_, 0);
    for (std::size_t cell = 0; cell < net_.word.size(); ++cell) {
      sums[cell % cols_] += At(cell, volts_).current;
      if (word != nullptr) word[cell] = static_cast<double>(volts_[net_.word[cell]]);
      if (bit != nullptr) bit[cell] = static_cast<double>(volts_[net_.bit[cell]]);
    }
    for (int j = 0; j < cols_; ++j) currents[j] = static_cast<double>(sums[j]);
  }

  const double* g_;
  const int rows_;
  const int cols_;
  const CellModel& cell_;
  Netlist net_;
  int unknowns_ = 0;
  RealVector volts_;  // of all nodes
  std::unique_ptr<Eigen::SimplicialLDLT<DoubleMatrix>> solver_ =
      std::make_unique<Eigen::SimplicialLDLT<DoubleMatrix>>();
  bool analysed_ = false;
};

}  // namespace

std::vector<SolveSummary> SolveArray(const double* g, int rows, int cols, const WireResistances& wires,
                                     const CellModel& cell, const double* volts, int count, const SolveOptions& options,
                                     double* currents, double* word, double* bit) {
  circuit::CheckArray(rows, cols, wires);
  circuit::CheckCells(g, 1, rows, cols);
  circuit::CheckCellModel(cell, rows);
  circuit::CheckVolts(volts, count, rows);
  std::vector<SolveSummary> summaries(count);
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(rows) * cols;
  const int threads = std::max(1, std::min(count, omp_get_max_threads()));
  std::vector<NewtonSolver> solvers;
  solvers.reserve(threads);
  for (int i = 0; i < threads; ++i) solvers.emplace_back(g, rows, cols, wires, cell);
  std::exception_ptr failure;
#pragma omp parallel for schedule(dynamic) num_threads(threads)
  for (int k = 0; k < count; ++k) {
    try {
      summaries[k] = solvers[omp_get_thread_num()].Solve(
          volts + static_cast<std::ptrdiff_t>(k) * rows, options, currents + static_cast<std::ptrdiff_t>(k) * cols,
          word == nullptr ? nullptr : word + k * cells, bit == nullptr ? nullptr : bit + k * cells);
    } catch (...) {
#pragma omp critical(rxnn_solve_array)
      failure = std::current_exception();
    }
  }
  if (failure) std::rethrow_exception(failure);
  return summaries;
}

}  // namespace rxnn
