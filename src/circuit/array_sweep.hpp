// The extraction of one array: from bit line to bit line towards the drivers.
#pragma once

#include <cstddef>
#include <vector>

#include "circuit/numbers.hpp"
#include "circuit/sweep_frame.hpp"
#include "rxnn/hardware.hpp"

namespace rxnn::circuit {

// What a sweep leaves for those who want more than G_eq.
struct SweepRecord {
  // Of step l, the resistance behind line l, where there is one: P = (1 + r Y)^-1, padded x padded, both triangles.
  Numbers inverses;
  std::vector<double> transfers;  // c of every line, lines x terminals
};

// Workspace and method for arrays of one shape. Not thread-safe: one per thread.
class ArraySweep {
 public:
  ArraySweep(int rows, int cols, const WireResistances& wires);

  // g, g_eq: rows x cols, row-major, checked by the caller; g_eq may be g.
  void Extract(const double* g, double* g_eq);

  // For every Extract from now on.
  void Record(SweepRecord* record);

  const SweepFrame& frame() const { return frame_; }
  int padded() const { return padded_; }
  // Of the last Extract: lines x terminals, siemens.
  const double* cells() const { return cells_.get(); }
  // Resistance of step l.
  double step_ohm(int step) const { return step + 1 < frame_.lines ? frame_.between_lines[step] : frame_.drive_ohm; }
  const std::vector<int>& far_driven() const { return far_driven_; }
  // Conductance of the drivers at the far ends.
  double far_siemens() const;

  // What the last Extract left in front of the word lines o that end open there: unit_ohm Y_oo as rows [couplings | row
  // sums | room], the layout of InvertAndApply.
  struct OpenEnds {
    std::vector<int> terminals;
    int padded = 0;
    std::ptrdiff_t stride = 0;
    double unit_ohm = 1;
    Numbers rows;

    double* Vectors(int i) const { return rows.get() + i * stride + padded + 1; }
  };
  // With room for `count` vectors, set to 0.
  OpenEnds MakeOpenEnds(int count);
  double Coupling(int p, int q) { return Couplings(p < q ? p : q)[p < q ? q : p]; }

 private:
  // The vectors kept beside the couplings: 1 + r y; y; then what the far drivers send, b; then x of line 0 and on.
  enum { kPivotSum = 0, kRowSum = 1, kFirstFar = 2 };

  void BeginAtFarDrivers();
  void AddLine(int line);
  void PassResistance(double r, int lines);
  void ChangeUnit(double ohm);
  void RecordInverse(int step);
  void EliminateOpenEnds();
  void Store(double* g_eq);

  double* Couplings(int terminal) { return rows_.get() + terminal * stride_; }
  double* Vectors(int terminal) { return Couplings(terminal) + padded_; }

  const SweepFrame frame_;
  const int far_;         // terminals driven at their far end
  const int first_line_;  // place of x among the vectors

  // What the lines swept so far, and the far drivers, put on the word lines: the admittance Y as couplings a_pq =
  // -Y_pq, in units of 1 / unit_ohm_, and row sums y; the currents b per volt that the far drivers send out of the
  // terminals; and x, the equivalent conductances of these lines by themselves. Rows [a | 1 + r y | y | b | x], the
  // layout of InvertAndApply.
  double unit_ohm_ = 1;
  const int padded_;  // terminals, rounded up to blocks
  const std::ptrdiff_t stride_;
  Numbers rows_;
  Numbers scratch_;
  Numbers cells_;  // lines x terminals
  SweepRecord* record_ = nullptr;

  // With far drivers only. far x line: the part of an equivalent conductance that comes from the far driver without
  // passing the terminals that the sweep has reached.
  std::vector<int> far_driven_;  // the terminals driven at their far end
  std::vector<int> open_;        // those not driven at their near end
  const int padded_far_;
  const int padded_lines_;
  Numbers from_far_;  // padded_far_ x padded_lines_
  Numbers sent_;      // padded_ x padded_far_: r b before a resistance
};

}  // namespace rxnn::circuit
