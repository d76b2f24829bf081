// One physical array with all that its hardware says.
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rxnn/circuit.hpp"
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

DoubleArray ArrayConductance(const std::string& message, const DoubleArray& g) {
  const rxnn::Hardware hardware = HardwareOf(message, g);
  DoubleArray g_eq(ShapeOf(hardware));
  const double* in = g.data();
  double* out = g_eq.mutable_data();
  const py::gil_scoped_release unlocked;
  rxnn::EquivalentConductance(in, hardware.rows, hardware.cols, hardware.wires, out);
  return g_eq;
}

// volts: (rows); the voltages at the word-line and at the bit-line nodes, (rows, cols) each.
std::pair<DoubleArray, DoubleArray> ArrayVoltages(const std::string& message, const DoubleArray& g,
                                                  const DoubleArray& volts) {
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
    rxnn::NodeVoltages(in, hardware.rows, hardware.cols, hardware.wires, drive, word_out, bit_out);
  }
  return {std::move(word), std::move(bit)};
}

// inputs: (vectors, rows), digits or volts.
std::string SpiceNetlist(const std::string& message, const DoubleArray& g, const DoubleArray& inputs, bool digits,
                         const std::string& comment) {
  const rxnn::Hardware hardware = HardwareOf(message, g);
  if (inputs.ndim() != 2 || inputs.shape(1) != hardware.rows) {
    throw std::invalid_argument("inputs must have shape (vectors, " + std::to_string(hardware.rows) + ")");
  }
  const rxnn::SpiceInputs given{digits ? rxnn::SpiceInputs::Kind::kDigits : rxnn::SpiceInputs::Kind::kVolts,
                                inputs.data(), static_cast<int>(inputs.shape(0))};
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
  module.def("array_conductance", &ArrayConductance, py::arg("hardware"), py::arg("g"),
             "G_eq of one array of the hardware.");
  module.def("array_voltages", &ArrayVoltages, py::arg("hardware"), py::arg("g"), py::arg("volts"),
             "Voltages of all nodes of one array of the hardware.");
  module.def("spice_netlist", &SpiceNetlist, py::arg("hardware"), py::arg("g"), py::arg("inputs"), py::arg("digits"),
             py::arg("comment"), "The netlist of one array, its operating point or a sweep over several vectors.");
  module.def("dac_voltages", &DacVoltages, py::arg("hardware"), "What the DAC makes of every digit, volts.");
}

}  // namespace pyrxnn
