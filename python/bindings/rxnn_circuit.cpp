// The array as a circuit.
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rxnn/circuit.hpp"
#include "rxnn_bindings.hpp"

namespace pyrxnn {
namespace {

// g: (..., M, N) in siemens; the result has its shape.
DoubleArray EquivalentConductance(const DoubleArray& g, double source, double sink, double wordline, double bitline) {
  const py::ssize_t axes = g.ndim();
  if (axes < 2) throw std::invalid_argument("g has shape (..., M, N): at least two axes");
  py::ssize_t count = 1;
  for (py::ssize_t axis = 0; axis + 2 < axes; ++axis) count *= g.shape(axis);
  const auto rows = static_cast<int>(g.shape(axes - 2));
  const auto cols = static_cast<int>(g.shape(axes - 1));
  DoubleArray g_eq(std::vector<py::ssize_t>(g.shape(), g.shape() + axes));
  const double* in = g.data();
  double* out = g_eq.mutable_data();
  const py::gil_scoped_release unlocked;
  rxnn::EquivalentConductanceBatch(in, static_cast<int>(count), rows, cols, {source, sink, wordline, bitline}, out);
  return g_eq;
}

// g: (M, N) in siemens, volts: (M); the voltages at the word-line and at the bit-line nodes, (M, N) each.
std::pair<DoubleArray, DoubleArray> NodeVoltages(const DoubleArray& g, const DoubleArray& volts, double source,
                                                 double sink, double wordline, double bitline) {
  if (g.ndim() != 2) throw std::invalid_argument("g has shape (M, N): two axes");
  const auto rows = static_cast<int>(g.shape(0));
  const auto cols = static_cast<int>(g.shape(1));
  if (volts.ndim() != 1 || volts.shape(0) != rows) {
    throw std::invalid_argument("volts must have shape (" + std::to_string(rows) + "), one voltage per row of g");
  }
  const std::vector<py::ssize_t> shape{rows, cols};
  DoubleArray word(shape), bit(shape);
  const double* in = g.data();
  const double* drive = volts.data();
  double* word_out = word.mutable_data();
  double* bit_out = bit.mutable_data();
  {
    const py::gil_scoped_release unlocked;
    rxnn::NodeVoltages(in, rows, cols, {source, sink, wordline, bitline}, drive, word_out, bit_out);
  }
  return {std::move(word), std::move(bit)};
}

}  // namespace

void BindCircuit(py::module_& module) {
  module.def("equivalent_conductance", &EquivalentConductance, py::arg("g"), py::arg("r_source_ohm"),
             py::arg("r_sink_ohm"), py::arg("r_wordline_ohm"), py::arg("r_bitline_ohm"));
  module.def("node_voltages", &NodeVoltages, py::arg("g"), py::arg("volts"), py::arg("r_source_ohm"),
             py::arg("r_sink_ohm"), py::arg("r_wordline_ohm"), py::arg("r_bitline_ohm"));
}

}  // namespace pyrxnn
