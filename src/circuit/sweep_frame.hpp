// An array as the sweep sees it: lines that are passed one after the other, and the terminals that they share.
#pragma once

#include <vector>

#include "rxnn/hardware.hpp"

namespace rxnn::circuit {

// A circuit of resistances is reciprocal: with word lines and bit lines, drivers and sense amplifiers exchanged, G_eq
// is transposed. The array is swept over `lines` (bit lines), each with `terminals` cells (one on every word line);
// swept over word lines it is mirrored. Lines count from the one farthest from the drivers' near ends, terminals from
// the one nearest to the sense amplifiers' near ends (of the mirrored array, if it is).
struct SweepFrame {
  bool mirrored = false;
  int lines = 0;
  int terminals = 0;
  double drive_ohm = 0;               // R_source, or R_sink if mirrored
  double sense_ohm = 0;               // the other one
  std::vector<double> between_lines;  // ohm, from line l to l + 1, at every terminal
  std::vector<double> along_line;     // ohm, from terminal p to p + 1, on every line
  LineEnds driven = LineEnds::kOne;   // of the terminals: near is behind the last line, far before line 0
  LineEnds sensed = LineEnds::kOne;   // of the lines: near is at terminal 0

  // The cheaper of the two ways to sweep. Resistances too small to matter are 0.
  static SweepFrame Choose(int rows, int cols, const WireResistances& wires);

  // Place of a cell in a row-major array.
  int Cell(int line, int terminal) const {
    return mirrored ? line * terminals + terminal : (terminals - 1 - terminal) * lines + (lines - 1 - line);
  }
  // A line's, a terminal's number in the array, which says at which end an alternating one is driven or sensed.
  int line_number(int line) const { return mirrored ? line : lines - 1 - line; }
  int terminal_number(int terminal) const { return mirrored ? terminal : terminals - 1 - terminal; }

  bool near_driven(int terminal) const { return HasNearEnd(driven, terminal_number(terminal)); }
  bool far_driven(int terminal) const { return HasFarEnd(driven, terminal_number(terminal)); }
  bool near_sensed(int line) const { return HasNearEnd(sensed, line_number(line)); }
  bool far_sensed(int line) const { return HasFarEnd(sensed, line_number(line)); }
  int num_far_driven() const;
};

// Below this, all the cells of the largest array at the largest conductance change a voltage by less than rounding does
// (1e-30 ohm * 4096^2 * 1e6 S < 2^-53); products with such a resistance might underflow.
constexpr double kNegligibleOhm = 1e-30;

}  // namespace rxnn::circuit
