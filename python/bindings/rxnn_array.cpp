// One physical array with all that its hardware says.
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rxnn/circuit.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/device.hpp"
#include "rxnn/periphery.hpp"
#include "rxnn/spice.hpp"
#include "rxnn_bindings.hpp"

namespace pyrxnn {
namespace {

rxnn::Hardware HardwareOf(const std::string& message, const DoubleArray& g) {
  rxnn::Hardware hardware = ParseHardware(message);
  if (g.ndim() != 2 || g.shape(0) != hardware.rows || g.shape(1) != hardware.cols) {
    throw std::invalid_argument("g must have shape (" + std::to_string(hardware.rows) + ", " +
                                std::to_string(hardware.cols) + "), the hardware's rows and cols");
  }
  return hardware;
}

std::vector<py::ssize_t> ShapeOf(const rxnn::Hardware& hardware) { return {hardware.rows, hardware.cols}; }

// name: of the layer, whose random inputs cells that are not linear are fitted to.
DoubleArray ArrayConductance(const std::string& message, const DoubleArray& g, int used_rows, const std::string& name) {
  const rxnn::Hardware hardware = HardwareOf(message, g);
  DoubleArray g_eq(ShapeOf(hardware));
  std::vector<double> cells(g.data(), g.data() + g.size());
  double* out = g_eq.mutable_data();
  const py::gil_scoped_release unlocked;
  // Linear cells have their transistors in them.
  if (!hardware.linear_cells()) {
    rxnn::MakeLinearCells(hardware, rxnn::ChipRandom(hardware.seed, name), used_rows, cells.data());
  }
  rxnn::EquivalentConductance(cells.data(), hardware.rows, hardware.cols, hardware.wires, out);
  return g_eq;
}

// volts: (rows); the voltages at the word-line and at the bit-line nodes, (rows, cols) each.
std::pair<DoubleArray, DoubleArray> ArrayVoltages(const std::string& message, const DoubleArray& g,
                                                  const DoubleArray& volts, int used_rows) {
  const rxnn::Hardware hardware = HardwareOf(message, g);
  if (volts.ndim() != 1 || volts.shape(0) != hardware.rows) {
    throw std::invalid_argument("volts must have shape (" + std::to_string(hardware.rows) + ")");
  }
  DoubleArray word(ShapeOf(hardware)), bit(ShapeOf(hardware));
  const double* in = g.data();
  const double* drive = volts.data();
  double* word_out = word.mutable_data();
  double* bit_out = bit.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    if (hardware.linear_cells()) {
      rxnn::NodeVoltages(in, hardware.rows, hardware.cols, hardware.wires, drive, word_out, bit_out);
    } else {
      const rxnn::CellModel cell{rxnn::CellCurve(hardware), rxnn::AccessResistances(hardware, used_rows)};
      std::vector<double> currents(hardware.cols);
      const auto summaries = rxnn::SolveArray(in, hardware.rows, hardware.cols, hardware.wires, cell, drive, 1,
                                              rxnn::SolveOptions(), currents.data(), word_out, bit_out);
      if (!summaries[0].converged) throw rxnn::SolveError(summaries[0].message);
    }
  }
  return {std::move(word), std::move(bit)};
}

// volts: (vectors, rows); column currents by Newton's method on the whole array, (vectors, cols).
DoubleArray ArrayCurrents(const std::string& message, const DoubleArray& g, const DoubleArray& volts, int used_rows) {
  const rxnn::Hardware hardware = HardwareOf(message, g);
  if (volts.ndim() != 2 || volts.shape(1) != hardware.rows) {
    throw std::invalid_argument("volts must have shape (vectors, " + std::to_string(hardware.rows) + ")");
  }
  DoubleArray currents(std::vector<py::ssize_t>{volts.shape(0), hardware.cols});
  const double* in = g.data();
  const double* drive = volts.data();
  double* out = currents.mutable_data();
  const int count = static_cast<int>(volts.shape(0));
  const py::gil_scoped_release unlocked;
  rxnn::CellModel cell;
  if (!hardware.linear_cells()) cell = {rxnn::CellCurve(hardware), rxnn::AccessResistances(hardware, used_rows)};
  for (const rxnn::SolveSummary& summary :
       rxnn::SolveArray(in, hardware.rows, hardware.cols, hardware.wires, cell, drive, count, rxnn::SolveOptions(), out,
                        nullptr, nullptr)) {
    if (!summary.converged) throw rxnn::SolveError(summary.message);
  }
  return currents;
}

// inputs: (vectors, rows), digits or volts.
std::string SpiceNetlist(const std::string& message, const DoubleArray& g, const DoubleArray& inputs, bool digits,
                         int used_rows, const std::string& comment) {
  const rxnn::Hardware hardware = HardwareOf(message, g);
  if (inputs.ndim() != 2 || inputs.shape(1) != hardware.rows) {
    throw std::invalid_argument("inputs must have shape (vectors, " + std::to_string(hardware.rows) + ")");
  }
  const rxnn::SpiceInputs given{digits ? rxnn::SpiceInputs::Kind::kDigits : rxnn::SpiceInputs::Kind::kVolts,
                                inputs.data(), static_cast<int>(inputs.shape(0)), used_rows};
  return rxnn::SpiceNetlist(hardware, g.data(), given, comment);
}

DoubleArray DacVoltages(const std::string& message) {
  const rxnn::Hardware hardware = ParseHardware(message);
  DoubleArray volts(py::ssize_t{1} << hardware.dac_bits);
  for (py::ssize_t digit = 0; digit < volts.size(); ++digit) {
    volts.mutable_at(digit) = rxnn::DacVoltage(hardware, static_cast<int>(digit));
  }
  return volts;
}

}  // namespace

void BindArray(py::module_& module) {
  module.def("array_conductance", &ArrayConductance, py::arg("hardware"), py::arg("g"), py::arg("used_rows"),
             py::arg("name"), "G_eq of one array of the hardware.");
  module.def("array_voltages", &ArrayVoltages, py::arg("hardware"), py::arg("g"), py::arg("volts"),
             py::arg("used_rows"), "Voltages of all nodes of one array of the hardware.");
  module.def("array_currents", &ArrayCurrents, py::arg("hardware"), py::arg("g"), py::arg("volts"),
             py::arg("used_rows"), "Column currents of one array of the hardware, by Newton's method.");
  module.def("spice_netlist", &SpiceNetlist, py::arg("hardware"), py::arg("g"), py::arg("inputs"), py::arg("digits"),
             py::arg("used_rows"), py::arg("comment"),
             "The netlist of one array, its operating point or a sweep over several vectors.");
  module.def("dac_voltages", &DacVoltages, py::arg("hardware"), "What the DAC makes of every digit, volts.");
}

}  // namespace pyrxnn
