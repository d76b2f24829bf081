#include "circuit/array_sweep.hpp"

#include <algorithm>

#include "circuit/bit_line.hpp"
#include "circuit/dense_kernels.hpp"

namespace rxnn::circuit {

ArraySweep::ArraySweep(int rows, int cols, const WireResistances& wires)
    : frame_(SweepFrame::Choose(rows, cols, wires)),
      far_(frame_.num_far_driven()),
      first_line_(kFirstFar + far_),
      padded_(RoundUpToBlock(frame_.terminals)),
      stride_(padded_ + RoundUpToBlock(first_line_) + RoundUpToBlock(frame_.lines)),
      padded_far_(RoundUpToBlock(far_)),
      padded_lines_(RoundUpToBlock(frame_.lines)) {
  rows_ = Allocate(static_cast<std::size_t>(padded_) * stride_);
  scratch_ = Allocate(std::max<std::size_t>(InvertAndApplyScratch(stride_), (1 + kBitLineScratch) * frame_.terminals));
  cells_ = Allocate(static_cast<std::size_t>(frame_.lines) * frame_.terminals);
  if (far_ == 0) return;
  from_far_ = Allocate(static_cast<std::size_t>(padded_far_) * padded_lines_);
  sent_ = Allocate(static_cast<std::size_t>(padded_) * padded_far_);
  std::fill_n(sent_.get(), static_cast<std::size_t>(padded_) * padded_far_, 0.0);
  for (int p = 0; p < frame_.terminals; ++p) {
    if (frame_.far_driven(p)) far_driven_.push_back(p);
    if (!frame_.near_driven(p)) open_.push_back(p);
  }
}

void ArraySweep::Record(SweepRecord* record) {
  record_ = record;
  record_->inverses = Allocate(static_cast<std::size_t>(frame_.lines) * padded_ * padded_);
  record_->transfers.resize(static_cast<std::size_t>(frame_.lines) * frame_.terminals);
}

// A driver of 0 ohm is taken for one of a resistance that is too small to matter, which keeps its conductance finite.
double ArraySweep::far_siemens() const { return 1 / std::max(frame_.drive_ohm, kNegligibleOhm); }

void ArraySweep::Extract(const double* g, double* g_eq) {
  for (int line = 0; line < frame_.lines; ++line) {
    for (int p = 0; p < frame_.terminals; ++p) cells_[line * frame_.terminals + p] = g[frame_.Cell(line, p)];
  }

  std::fill_n(rows_.get(), padded_ * stride_, 0.0);
  unit_ohm_ = 1;
  if (far_ > 0) BeginAtFarDrivers();
  for (int line = 0; line < frame_.lines; ++line) {
    if (line > 0) PassResistance(frame_.between_lines[line - 1], line);
    AddLine(line);
  }
  PassResistance(frame_.drive_ohm, frame_.lines);
  if (!open_.empty()) EliminateOpenEnds();
  Store(g_eq);
}

// Before the first line there are the far drivers alone, each behind its resistance.
void ArraySweep::BeginAtFarDrivers() {
  std::fill_n(from_far_.get(), static_cast<std::size_t>(padded_far_) * padded_lines_, 0.0);
  const double siemens = far_siemens();
  for (int f = 0; f < far_; ++f) {
    double* vectors = Vectors(far_driven_[f]);
    vectors[kRowSum] = siemens;
    vectors[kFirstFar + f] = siemens;
  }
}

// a += S's couplings, y += c, x_line = c.
void ArraySweep::AddLine(int line) {
  double* c = scratch_.get();
  BitLine bit_line;
  bit_line.m = frame_.terminals;
  bit_line.g = cells_.get() + line * frame_.terminals;
  bit_line.segments_ohm = frame_.along_line.data();
  bit_line.sink_ohm = frame_.sense_ohm;
  bit_line.near_sensed = frame_.near_sensed(line);
  bit_line.far_sensed = frame_.far_sensed(line);
  AddBitLine(bit_line, unit_ohm_, rows_.get(), stride_, c, c + frame_.terminals);
  if (record_ != nullptr) {
    std::copy_n(c, frame_.terminals, record_->transfers.begin() + static_cast<std::ptrdiff_t>(line) * frame_.terminals);
  }
  for (int p = 0; p < frame_.terminals; ++p) {
    double* vectors = Vectors(p);
    vectors[kRowSum] += c[p];
    vectors[first_line_ + line] = c[p];
  }
}

// What the first `lines` lines are from before a resistance r in every word line: Y <- Y P, y <- P y, b <- P b, x <- P
// x with P = (1 + r Y)^-1. The couplings of r Y become those of P, which are those of r Y P: in units of 1 / r nothing
// is left to do.
void ArraySweep::PassResistance(double r, int lines) {
  if (r == 0) return;
  if (r != unit_ohm_) ChangeUnit(r);
  for (int p = 0; p < padded_; ++p) Vectors(p)[kPivotSum] = 1 + r * Vectors(p)[kRowSum];
  for (int p = 0; p < frame_.terminals; ++p) {
    for (int f = 0; f < far_; ++f) sent_[p * padded_far_ + f] = r * Vectors(p)[kFirstFar + f];
  }
  InvertAndApply(rows_.get(), padded_, 1 + far_ + lines, stride_, scratch_.get());
  if (record_ != nullptr) RecordInverse(lines - 1);
  if (far_ == 0) return;
  AddTransposedProduct(sent_.get(), padded_far_, Vectors(0) + first_line_, stride_, padded_, padded_far_,
                       RoundUpToBlock(lines), from_far_.get(), padded_lines_);
}

void ArraySweep::ChangeUnit(double ohm) {
  const double ratio = ohm / unit_ohm_;
  for (int p = 0; p < frame_.terminals; ++p) {
    double* row = Couplings(p);
    for (int q = p + 1; q < frame_.terminals; ++q) row[q] *= ratio;
  }
  unit_ohm_ = ohm;
}

void ArraySweep::RecordInverse(int step) {
  double* inverse = record_->inverses.get() + static_cast<std::ptrdiff_t>(step) * padded_ * padded_;
  for (int p = 0; p < padded_; ++p) {
    for (int q = 0; q < padded_; ++q) inverse[p * padded_ + q] = Coupling(p, q);
  }
}

ArraySweep::OpenEnds ArraySweep::MakeOpenEnds(int count) {
  OpenEnds ends;
  ends.terminals = open_;
  ends.unit_ohm = unit_ohm_;
  const int m = static_cast<int>(open_.size());
  if (m == 0) return ends;
  ends.padded = RoundUpToBlock(m);
  ends.stride = ends.padded + RoundUpToBlock(1 + count);
  ends.rows = Allocate(static_cast<std::size_t>(ends.padded) * ends.stride);
  std::fill_n(ends.rows.get(), ends.padded * ends.stride, 0.0);
  for (int i = m; i < ends.padded; ++i) ends.rows[i * ends.stride + ends.padded] = 1;
  for (int i = 0; i < m; ++i) {
    double* row = ends.rows.get() + i * ends.stride;
    for (int j = i + 1; j < m; ++j) row[j] = Coupling(open_[i], open_[j]);
    row[ends.padded] = unit_ohm_ * Vectors(open_[i])[kRowSum];
    for (int p = 0; p < frame_.terminals; ++p) {
      if (frame_.near_driven(p)) row[ends.padded] += Coupling(p, open_[i]);
    }
  }
  return ends;
}

// Word lines o that end open in front carry no current there: Y_oo U_o = a_od V_d + b_o V. What reaches a line through
// them, x_o^T U_o, is added to what it gets from the drivers in front, d, and from the far ones. Every o has a far
// driver, so that the row sums of Y_oo are positive.
void ArraySweep::EliminateOpenEnds() {
  const int lines = frame_.lines;
  const OpenEnds ends = MakeOpenEnds(lines);
  const int m = static_cast<int>(ends.terminals.size());
  for (int i = 0; i < m; ++i) std::copy_n(Vectors(open_[i]) + first_line_, lines, ends.Vectors(i));
  const Numbers scratch = Allocate(InvertAndApplyScratch(ends.stride));
  InvertAndApply(ends.rows.get(), ends.padded, lines, ends.stride, scratch.get());

  for (int i = 0; i < m; ++i) {
    const double* z = ends.Vectors(i);  // Y_oo^-1 x_o, in units of unit_ohm_
    for (int p = 0; p < frame_.terminals; ++p) {
      if (!frame_.near_driven(p)) continue;
      const double coupling = Coupling(p, open_[i]);
      for (int line = 0; line < lines; ++line) Vectors(p)[first_line_ + line] += coupling * z[line];
    }
    for (int f = 0; f < far_; ++f) {
      const double sent = unit_ohm_ * Vectors(open_[i])[kFirstFar + f];
      for (int line = 0; line < lines; ++line) from_far_[f * padded_lines_ + line] += sent * z[line];
    }
  }
}

void ArraySweep::Store(double* g_eq) {
  for (int p = 0; p < frame_.terminals; ++p) {
    const double from_near = frame_.near_driven(p) ? 1 : 0;
    for (int line = 0; line < frame_.lines; ++line) {
      g_eq[frame_.Cell(line, p)] = from_near * Vectors(p)[first_line_ + line];
    }
  }
  for (int f = 0; f < far_; ++f) {
    for (int line = 0; line < frame_.lines; ++line) {
      g_eq[frame_.Cell(line, far_driven_[f])] += from_far_[f * padded_lines_ + line];
    }
  }
}

}  // namespace rxnn::circuit
