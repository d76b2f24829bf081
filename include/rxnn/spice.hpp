// The array as a netlist for ngspice: an independent circuit simulator beside what the core computes (docs/spice.md).
#pragma once

#include <string>

#include "rxnn/hardware.hpp"

namespace rxnn {

// What stands at the inputs of an array: `count` vectors of hardware.rows values, row-major.
struct SpiceInputs {
  enum class Kind {
    kVolts,  // at the drivers
    kDigits  // of the DACs, whole numbers from 0 to 2^dac_bits - 1; their transfer curve becomes a behavioural source
  };
  Kind kind = Kind::kVolts;
  const double* values = nullptr;
  int count = 1;
  int used_rows = -1;  // the rows whose access transistors are on; -1: all
};

// The netlist of one array, its operating point for one vector or a DC sweep over the numbers of several:
//   x<i>, d<i>       digit (one volt for each) and driver of row i
//   w<i>_<j>, b<i>_<j>  word line and bit line at cell (i, j)
//   s<j>             virtual ground of column j; the current of column j is that of the voltage source Vs<j>
// and the resistors
//   Rs<i>, Rt<i>     driver of row i at its left and at its right end
//   Rw<i>_<j>        word line from cell (i, j) to (i, j + 1)
//   Rc<i>_<j>        cell; where cells are not linear, the behavioural source Bc<i>_<j>, behind its access transistor
//                    Ra<i>_<j> and node a<i>_<j> where it has one
//   Rb<i>_<j>        bit line from cell (i, j) to (i + 1, j)
//   Rk<j>, Rl<j>     sense amplifier of column j at its lower and at its upper end
// Nodes joined by 0 ohm are one, named by the driver or the virtual ground among them or else by the first cell; cells
// of 0 S are left out. Numbers are written so that they read back as the same double.
//   g: hardware.rows x hardware.cols (row-major), siemens, cells and wires within the limits of circuit.hpp.
//   comment: stands at the head, each line of it as a comment; its first line is the title.
// Throws std::invalid_argument for cells, wires and inputs that cannot be, HardwareError for hardware that cannot be.
std::string SpiceNetlist(const Hardware& hardware, const double* g, const SpiceInputs& inputs,
                         const std::string& comment);

}  // namespace rxnn
