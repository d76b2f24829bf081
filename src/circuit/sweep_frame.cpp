#include "circuit/sweep_frame.hpp"

#include <utility>

namespace rxnn::circuit {
namespace {

double Significant(double ohm) { return ohm < kNegligibleOhm ? 0 : ohm; }

SweepFrame Upright(int rows, int cols, const WireResistances& wires) {
  SweepFrame frame;
  frame.lines = cols;
  frame.terminals = rows;
  frame.drive_ohm = Significant(wires.source_ohm);
  frame.sense_ohm = Significant(wires.sink_ohm);
  for (int l = 0; l + 1 < cols; ++l) frame.between_lines.push_back(Significant(wires.wordline_segment(cols - 2 - l)));
  for (int p = 0; p + 1 < rows; ++p) frame.along_line.push_back(Significant(wires.bitline_segment(rows - 2 - p)));
  frame.driven = wires.wordline_driven;
  frame.sensed = wires.bitline_sensed;
  return frame;
}

SweepFrame Mirrored(int rows, int cols, const WireResistances& wires) {
  SweepFrame frame;
  frame.mirrored = true;
  frame.lines = rows;
  frame.terminals = cols;
  frame.drive_ohm = Significant(wires.sink_ohm);
  frame.sense_ohm = Significant(wires.source_ohm);
  for (int l = 0; l + 1 < rows; ++l) frame.between_lines.push_back(Significant(wires.bitline_segment(l)));
  for (int p = 0; p + 1 < cols; ++p) frame.along_line.push_back(Significant(wires.wordline_segment(p)));
  frame.driven = wires.bitline_sensed;
  frame.sensed = wires.wordline_driven;
  return frame;
}

// Flops: an inversion for every resistance between lines and one in the end, each applied to the lines passed so far
// and to what the far drivers send.
double Work(const SweepFrame& frame) {
  double inversions = 1;
  for (const double ohm : frame.between_lines) inversions += ohm > 0;
  const double t = frame.terminals;
  const double far = frame.num_far_driven();
  const double passed = frame.lines / 2.0;
  return inversions * (t * t * (t + 2 * (passed + far)) + 2 * t * far * passed);
}

}  // namespace

SweepFrame SweepFrame::Choose(int rows, int cols, const WireResistances& wires) {
  SweepFrame upright = Upright(rows, cols, wires);
  SweepFrame mirrored = Mirrored(rows, cols, wires);
  return Work(mirrored) < Work(upright) ? mirrored : upright;
}

int SweepFrame::num_far_driven() const {
  int count = 0;
  for (int p = 0; p < terminals; ++p) count += far_driven(p);
  return count;
}

}  // namespace rxnn::circuit
