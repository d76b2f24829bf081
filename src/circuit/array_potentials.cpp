#include "circuit/array_potentials.hpp"

#include <algorithm>

#include "circuit/dense_kernels.hpp"

namespace rxnn::circuit {

ArrayPotentials::ArrayPotentials(int rows, int cols, const WireResistances& wires, int count)
    : rows_(rows),
      cols_(cols),
      count_(count),
      padded_count_(RoundUpToBlock(count)),
      sweep_(rows, cols, wires),
      frame_(sweep_.frame()),
      padded_(sweep_.padded()),
      vectors_(static_cast<std::ptrdiff_t>(padded_) * padded_count_) {
  sweep_.Record(&record_);
  sent_ = Allocate(static_cast<std::size_t>(frame_.lines) * vectors_);
  terminal_volts_ = Allocate(vectors_);
  product_ = Allocate(vectors_);
  arriving_.resize(vectors_);
  chain_volts_.resize(2 * padded_count_);
  below_.resize(frame_.terminals);
  g_eq_.resize(static_cast<std::size_t>(rows) * cols);
}

void ArrayPotentials::Solve(const double* g, const double* volts, double* across) {
  sweep_.Extract(g, g_eq_.data());
  SweepSources(volts);
  SetNearTerminals(volts);
  for (int line = frame_.lines - 1; line >= 0; --line) {
    const double r = sweep_.step_ohm(line);
    if (r > 0) {
      const double* q = sent_.get() + line * vectors_;
      for (std::ptrdiff_t i = 0; i < vectors_; ++i) terminal_volts_[i] += r * q[i];
      MultiplyByInverse(line, &terminal_volts_);
    }
    SolveLine(line, volts, across);
  }
}

// x <- P x of a step.
void ArrayPotentials::MultiplyByInverse(int step, Numbers* x) {
  std::fill_n(product_.get(), vectors_, 0.0);
  const double* inverse = record_.inverses.get() + static_cast<std::ptrdiff_t>(step) * padded_ * padded_;
  AddTransposedProduct(inverse, padded_, x->get(), padded_count_, padded_, padded_, padded_count_, product_.get(),
                       padded_count_);
  std::swap(*x, product_);
}

// q before every step. Terminals are driven where the array is upright, lines where it is mirrored. terminal_volts_
// serves as q on the way and ends as q behind the last step.
void ArrayPotentials::SweepSources(const double* volts) {
  Numbers& q = terminal_volts_;
  std::fill_n(q.get(), vectors_, 0.0);
  if (!frame_.mirrored) {
    for (const int p : sweep_.far_driven()) {
      for (int k = 0; k < count_; ++k) {
        q[p * padded_count_ + k] = sweep_.far_siemens() * Volt(volts, frame_.terminal_number(p), k);
      }
    }
  }
  for (int line = 0; line < frame_.lines; ++line) {
    if (frame_.mirrored) {
      const double* c = record_.transfers.data() + static_cast<std::ptrdiff_t>(line) * frame_.terminals;
      for (int p = 0; p < frame_.terminals; ++p) {
        for (int k = 0; k < count_; ++k) q[p * padded_count_ + k] += c[p] * Volt(volts, frame_.line_number(line), k);
      }
    }
    std::copy_n(q.get(), vectors_, sent_.get() + line * vectors_);
    if (sweep_.step_ohm(line) > 0) MultiplyByInverse(line, &q);
  }
}

// U behind the last step: given at the terminals that end there, and at the open ones what no current asks for,
// Y_oo U_o = a_od U_d + q_o.
void ArrayPotentials::SetNearTerminals(const double* volts) {
  Numbers& u = terminal_volts_;  // q so far
  const ArraySweep::OpenEnds ends = sweep_.MakeOpenEnds(count_);
  const int m = static_cast<int>(ends.terminals.size());
  for (int i = 0; i < m; ++i) {
    for (int k = 0; k < count_; ++k) {
      ends.Vectors(i)[k] = ends.unit_ohm * u[ends.terminals[i] * padded_count_ + k];
    }
  }
  std::fill_n(u.get(), vectors_, 0.0);
  for (int p = 0; p < frame_.terminals; ++p) {
    if (frame_.mirrored || !frame_.near_driven(p)) continue;
    for (int k = 0; k < count_; ++k) u[p * padded_count_ + k] = Volt(volts, frame_.terminal_number(p), k);
    for (int i = 0; i < m; ++i) {
      const double coupling = sweep_.Coupling(p, ends.terminals[i]);
      for (int k = 0; k < count_; ++k) ends.Vectors(i)[k] += coupling * u[p * padded_count_ + k];
    }
  }
  if (m == 0) return;
  const Numbers scratch = Allocate(InvertAndApplyScratch(ends.stride));
  InvertAndApply(ends.rows.get(), ends.padded, count_, ends.stride, scratch.get());
  for (int i = 0; i < m; ++i) std::copy_n(ends.Vectors(i), count_, u.get() + ends.terminals[i] * padded_count_);
}

// The nodes of one line between its terminals and its ends. From the far end down, what is above a node is a
// conductance h and the current s that it sends when the node is grounded, cell of the node included; then up again,
//   x_{p+1} = (x_p + r s_{p+1}) / (1 + r h_{p+1}).
void ArrayPotentials::SolveLine(int line, const double* volts, double* across) {
  const int m = frame_.terminals;
  const double* g = sweep_.cells() + static_cast<std::ptrdiff_t>(line) * m;
  const double* u = terminal_volts_.get();
  double* source = chain_volts_.data();
  double* x = source + padded_count_;
  for (int k = 0; k < count_; ++k) source[k] = frame_.mirrored ? Volt(volts, frame_.line_number(line), k) : 0;

  const double far_siemens = frame_.far_sensed(line) ? 1 / std::max(frame_.sense_ohm, kNegligibleOhm) : 0;
  for (int p = m - 1; p >= 0; --p) {
    double h = far_siemens;
    double pass = far_siemens;  // of `before`, into node p
    const double* before = source;
    if (p + 1 < m) {
      pass = 1 / (1 + frame_.along_line[p] * below_[p + 1]);
      h = below_[p + 1] * pass;
      before = arriving_.data() + (p + 1) * padded_count_;
    }
    below_[p] = h + g[p];
    double* s = arriving_.data() + p * padded_count_;
    for (int k = 0; k < count_; ++k) s[k] = before[k] * pass + g[p] * u[p * padded_count_ + k];
  }

  const double sign = frame_.mirrored ? -1 : 1;
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(rows_) * cols_;
  for (int p = 0; p < m; ++p) {
    const double* s = arriving_.data() + p * padded_count_;
    if (p == 0) {
      const bool sensed = frame_.near_sensed(line);
      const double r = sensed ? frame_.sense_ohm : 1;
      const double siemens = (sensed ? 1 : 0) + r * below_[0];
      for (int k = 0; k < count_; ++k) x[k] = (r * s[k] + (sensed ? source[k] : 0)) / siemens;
    } else {
      const double r = frame_.along_line[p - 1];
      const double pass = 1 / (1 + r * below_[p]);
      for (int k = 0; k < count_; ++k) x[k] = (x[k] + r * s[k]) * pass;
    }
    double* cell = across + frame_.Cell(line, p);
    for (int k = 0; k < count_; ++k) cell[k * cells] = sign * (u[p * padded_count_ + k] - x[k]);
  }
}

}  // namespace rxnn::circuit
