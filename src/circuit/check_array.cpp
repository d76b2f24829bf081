#include "circuit/check_array.hpp"

#include <cstddef>
#include <sstream>
#include <stdexcept>

namespace rxnn::circuit {
namespace {

void CheckResistance(const char* name, double ohm) {
  if (ohm >= 0 && ohm <= kMaxOhm) return;
  std::ostringstream message;
  message << name << ": " << ohm << " is out of range, allowed is 0 to " << kMaxOhm;
  throw std::invalid_argument(message.str());
}

}  // namespace

void CheckArrays(const double* g, int count, int rows, int cols, const WireResistances& wires) {
  if (count < 1 || rows < 1 || cols < 1) {
    std::ostringstream message;
    message << "arrays: " << count << " of " << rows << " x " << cols
            << " cells, expected at least 1 of at least 1 x 1";
    throw std::invalid_argument(message.str());
  }
  CheckResistance("r_source_ohm", wires.source_ohm);
  CheckResistance("r_sink_ohm", wires.sink_ohm);
  CheckResistance("r_wordline_ohm", wires.wordline_ohm);
  CheckResistance("r_bitline_ohm", wires.bitline_ohm);

  const std::ptrdiff_t cells = static_cast<std::ptrdiff_t>(rows) * cols;
  for (std::ptrdiff_t i = 0; i < count * cells; ++i) {
    if (g[i] >= 0 && g[i] <= kMaxSiemens) continue;
    std::ostringstream message;
    message << "conductance of cell (" << i % cells / cols << ", " << i % cols << ") of array " << i / cells << ": "
            << g[i] << " siemens is out of range, allowed is 0 to " << kMaxSiemens;
    throw std::invalid_argument(message.str());
  }
}

}  // namespace rxnn::circuit
