// Cells: the conductance a digit is programmed to, and what the device makes of it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rxnn/hardware.hpp"
#include "rxnn/random.hpp"

namespace rxnn {

// Nominal conductance of digit d, siemens: level_siemens[d], or g_off + d (g_on - g_off) / (2^cell_bits - 1).
double NominalConductance(const Hardware& hardware, int digit);

// Programs one physical array: `digits` are rows x cols (row-major) of hardware.rows x hardware.cols cells, `array`
// names the array within the layer. Returns rows x cols conductances, siemens: varied, drifted, stuck, in this order
// (docs/physics.md, "Cells"). A stuck cell is stuck whatever was programmed; stuck-on is decided before stuck-off, at
// most one of them holds.
std::vector<double> ProgramCells(const Hardware& hardware, const ChipRandom& random, std::uint32_t array,
                                 const std::vector<std::uint16_t>& digits);

// The faults of one layer's arrays, found by array.
class FaultMap {
 public:
  // Takes those of hardware.faults that belong to `layer`.
  FaultMap(const Hardware& hardware, std::string_view layer);

  // Sets the faulty cells of an array of conductances `g`, rows x cols, siemens.
  void Apply(std::uint32_t array, double* g) const;
  // The largest number of an array that a fault of this layer's name names; -1: none.
  std::int64_t largest_array() const { return largest_array_; }

 private:
  int rows_;
  int cols_;
  std::vector<Fault> faults_;                                            // in order
  std::vector<std::size_t> everywhere_;                                  // places in faults_ of those without an array
  std::unordered_map<std::int64_t, std::vector<std::size_t>> of_array_;  // of the others
  std::int64_t largest_array_ = -1;
};

// The I-V curve of a layer's cells, scaled so that a cell has its programmed conductance at v_read_volt:
//   I = g f(V) v_read / f(v_read).
IvCurve CellCurve(const Hardware& hardware);

// Resistance of the access transistors of every row, ohm; empty for 1R.
std::vector<double> AccessResistances(const Hardware& hardware, int used_rows);

// 1T1R with linear cells: puts the access transistors of an array in series with its devices, g <- 1 / (1 / g + R):
// r_access_on_ohm in the first `used_rows` rows, which are selected together, r_access_off_ohm in the others. 1R:
// changes nothing.
void AddAccessTransistors(const Hardware& hardware, int used_rows, double* g);

}  // namespace rxnn
