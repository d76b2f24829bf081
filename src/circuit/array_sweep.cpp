#include "circuit/array_sweep.hpp"

#include <algorithm>
#include <new>

#include "circuit/bit_line.hpp"
#include "circuit/dense_kernels.hpp"

namespace rxnn::circuit {
namespace {

hwy::AlignedFreeUniquePtr<double[]> Allocate(std::size_t count) {
  auto memory = hwy::AllocateAligned<double>(count);
  if (!memory) throw std::bad_alloc();
  return memory;
}

// Work of a sweep: one inversion per line if there is a resistance between lines, and one in the end.
double Inversions(int lines, double between_lines_ohm) { return between_lines_ohm > 0 ? lines : 1; }

// Below this, all the cells of the largest array at the largest conductance change a voltage by less than rounding does
// (1e-30 ohm * 4096^2 * 1e6 S < 2^-53); products with such a resistance might underflow.
constexpr double kNegligibleOhm = 1e-30;

WireResistances WithoutNegligible(WireResistances wires) {
  for (double* ohm : {&wires.source_ohm, &wires.sink_ohm, &wires.wordline_ohm, &wires.bitline_ohm}) {
    if (*ohm < kNegligibleOhm) *ohm = 0;
  }
  return wires;
}

bool MirrorIsCheaper(int rows, int cols, const WireResistances& wires) {
  const double row3 = static_cast<double>(rows) * rows * rows;
  const double col3 = static_cast<double>(cols) * cols * cols;
  return Inversions(rows, wires.bitline_ohm) * col3 < Inversions(cols, wires.wordline_ohm) * row3;
}

}  // namespace

ArraySweep::ArraySweep(int rows, int cols, const WireResistances& wires)
    : wires_(WithoutNegligible(wires)),
      mirrored_(MirrorIsCheaper(rows, cols, wires_)),
      lines_(mirrored_ ? rows : cols),
      terminals_(mirrored_ ? cols : rows),
      padded_(RoundUpToBlock(terminals_)),
      stride_(padded_ + RoundUpToBlock(kFirstLine + lines_)) {
  if (mirrored_) {
    std::swap(wires_.source_ohm, wires_.sink_ohm);
    std::swap(wires_.wordline_ohm, wires_.bitline_ohm);
  }
  rows_ = Allocate(static_cast<std::size_t>(padded_) * stride_);
  scratch_ = Allocate(std::max<std::size_t>(InvertAndApplyScratch(stride_), 3 * terminals_));
  cells_ = Allocate(static_cast<std::size_t>(lines_) * terminals_);
}

void ArraySweep::Extract(const double* g, double* g_eq) {
  for (int line = 0; line < lines_; ++line) {
    for (int p = 0; p < terminals_; ++p) cells_[line * terminals_ + p] = g[Cell(line, p)];
  }

  std::fill_n(rows_.get(), padded_ * stride_, 0.0);
  unit_ohm_ = wires_.wordline_ohm > 0 ? wires_.wordline_ohm : 1;
  for (int line = 0; line < lines_; ++line) {
    if (line > 0) PassResistance(wires_.wordline_ohm, line);
    AddLine(line);
  }
  PassResistance(wires_.source_ohm, lines_);

  for (int line = 0; line < lines_; ++line) {
    for (int p = 0; p < terminals_; ++p) g_eq[Cell(line, p)] = Vectors(p)[kFirstLine + line];
  }
}

// a += S's couplings, y += c, x_line = c.
void ArraySweep::AddLine(int line) {
  double* c = scratch_.get();
  AddBitLine(cells_.get() + line * terminals_, terminals_, wires_.sink_ohm, wires_.bitline_ohm, unit_ohm_, rows_.get(),
             stride_, c, c + terminals_);
  for (int p = 0; p < terminals_; ++p) {
    double* vectors = Vectors(p);
    vectors[kRowSum] += c[p];
    vectors[kFirstLine + line] = c[p];
  }
}

// What the first `lines` lines are from before a resistance r in every word line: Y <- Y P, y <- P y, x <- P x with
// P = (1 + r Y)^-1. The couplings of r Y become those of P, which are those of r Y P: in units of 1 / r nothing is
// left to do.
void ArraySweep::PassResistance(double r, int lines) {
  if (r == 0) return;
  if (r != unit_ohm_) ChangeUnit(r);
  for (int p = 0; p < padded_; ++p) Vectors(p)[kPivotSum] = 1 + r * Vectors(p)[kRowSum];
  InvertAndApply(rows_.get(), padded_, 1 + lines, stride_, scratch_.get());
}

void ArraySweep::ChangeUnit(double ohm) {
  const double ratio = ohm / unit_ohm_;
  for (int p = 0; p < terminals_; ++p) {
    double* row = Couplings(p);
    for (int q = p + 1; q < terminals_; ++q) row[q] *= ratio;
  }
  unit_ohm_ = ohm;
}

}  // namespace rxnn::circuit
