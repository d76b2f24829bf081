// An array as a netlist.
#include <stdexcept>
#include <string>

#include "rxnn/periphery.hpp"
#include "rxnn/spice.hpp"
#include "rxnn_bindings.hpp"

namespace pyrxnn {
namespace {

// g: (rows, cols) of the hardware; inputs: (vectors, rows), digits or volts.
std::string SpiceNetlist(const std::string& message, const DoubleArray& g, const DoubleArray& inputs, bool digits,
                         const std::string& comment) {
  const rxnn::Hardware hardware = ParseHardware(message);
  if (g.ndim() != 2 || g.shape(0) != hardware.rows || g.shape(1) != hardware.cols) {
    throw std::invalid_argument("g must have shape (" + std::to_string(hardware.rows) + ", " +
                                std::to_string(hardware.cols) + ")");
  }
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

void BindSpice(py::module_& module) {
  module.def("spice_netlist", &SpiceNetlist, py::arg("hardware"), py::arg("g"), py::arg("inputs"), py::arg("digits"),
             py::arg("comment"), "The netlist of one array, its operating point or a sweep over several vectors.");
  module.def("dac_voltages", &DacVoltages, py::arg("hardware"), "What the DAC makes of every digit, volts.");
}

}  // namespace pyrxnn
