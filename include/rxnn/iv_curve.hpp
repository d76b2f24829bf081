// How the current of a cell depends on the voltage across it.
#pragma once

#include <vector>

namespace rxnn {

// A cell of conductance g carries g * Current(v) ampere. Odd in v, rising, smooth but for the corners of a table.
struct IvCurve {
  enum class Kind {
    kLinear,  // v
    kSinh,    // v0 sinh(v / v0)
    kTable    // straight lines through (0, 0) and the points (volt, value), the last one going on
  };
  Kind kind = Kind::kLinear;
  double v0_volt = 1;
  std::vector<double> volt;   // above 0, rising
  std::vector<double> value;  // above 0, rising; as many
  double scale = 1;           // all of the above is multiplied by this

  // Throws std::invalid_argument, naming what is wrong as the fields of CrossbarParameter are named.
  void Check() const;
  bool linear() const { return kind == Kind::kLinear && scale == 1; }
  double Current(double v) const;
  double Slope(double v) const;  // dCurrent / dv
};

// A cell as the solvers take it: the curve, and a resistance in series with the device of every row (ohm; empty: none),
// as access transistors are.
struct CellModel {
  IvCurve curve;
  std::vector<double> series_ohm = {};
};

// What a device of conductance g behind `series_ohm` does at `v` volt across both.
struct CellPoint {
  double current = 0;      // ampere
  double slope = 0;        // siemens, of the pair
  double device_volt = 0;  // across the device alone
};
CellPoint EvaluateCell(const IvCurve& curve, double g, double series_ohm, double v);

}  // namespace rxnn
