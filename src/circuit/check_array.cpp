#include "circuit/check_array.hpp"

#include <cmath>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <vector>

namespace rxnn::circuit {
namespace {

void CheckResistance(const char* name, double ohm) {
  if (ohm >= 0 && ohm <= kMaxOhm) return;
  std::ostringstream message;
  message << name << ": " << ohm << " is out of range, allowed is 0 to " << kMaxOhm;
  throw std::invalid_argument(message.str());
}

// Segments of one kind of line: as many as there are gaps between cells, or none.
void CheckSegments(const char* name, const std::vector<double>& segments, int gaps) {
  if (segments.empty()) return;
  if (segments.size() != static_cast<std::size_t>(gaps)) {
    std::ostringstream message;
    message << name << ": " << segments.size() << " segments, an array of this size has " << gaps;
    throw std::invalid_argument(message.str());
  }
  for (const double ohm : segments) CheckResistance(name, ohm);
}

}  // namespace

void CheckArray(int rows, int cols, const WireResistances& wires) {
  if (rows < 1 || rows > kMaxSide || cols < 1 || cols > kMaxSide) {
    std::ostringstream message;
    message << "array: " << rows << " x " << cols << " cells, allowed are 1 to " << kMaxSide << " rows and columns";
    throw std::invalid_argument(message.str());
  }
  CheckResistance("r_source_ohm", wires.source_ohm);
  CheckResistance("r_sink_ohm", wires.sink_ohm);
  CheckResistance("r_wordline_ohm", wires.wordline_ohm);
  CheckResistance("r_bitline_ohm", wires.bitline_ohm);
  CheckSegments("r_wordline_segment_ohm", wires.wordline_segments_ohm, cols - 1);
  CheckSegments("r_bitline_segment_ohm", wires.bitline_segments_ohm, rows - 1);
}

void CheckCells(const double* g, int count, int rows, int cols) {
  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(rows) * cols;
  for (std::ptrdiff_t i = 0; i < count * cells; ++i) {
    if (g[i] >= 0 && g[i] <= kMaxSiemens) continue;
    std::ostringstream message;
    message << "conductance of cell (" << i % cells / cols << ", " << i % cols << ")";
    if (count > 1) message << " of array " << i / cells;
    message << ": " << g[i] << " siemens is out of range, allowed is 0 to " << kMaxSiemens;
    throw std::invalid_argument(message.str());
  }
}

void CheckCellModel(const CellModel& cell, int rows) {
  cell.curve.Check();
  if (!cell.series_ohm.empty() && cell.series_ohm.size() != static_cast<std::size_t>(rows)) {
    std::ostringstream message;
    message << "series resistances: " << cell.series_ohm.size() << " values, expected one for each of " << rows
            << " rows";
    throw std::invalid_argument(message.str());
  }
  for (const double ohm : cell.series_ohm) CheckResistance("series resistance", ohm);
}

void CheckVolts(const double* volts, int count, int rows) {
  for (std::ptrdiff_t i = 0; i < static_cast<std::ptrdiff_t>(count) * rows; ++i) {
    if (std::isfinite(volts[i])) continue;
    std::ostringstream message;
    message << "voltage of row " << i % rows;
    if (count > 1) message << " of vector " << i / rows;
    message << ": " << volts[i] << ", expected a finite number";
    throw std::invalid_argument(message.str());
  }
}

}  // namespace rxnn::circuit
