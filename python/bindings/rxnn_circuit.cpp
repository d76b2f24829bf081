// The array as a circuit.
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "rxnn/circuit.hpp"
#include "rxnn_bindings.hpp"

namespace pyrxnn {
namespace {

rxnn::LineEnds ParseEnds(const char* argument, const std::string& name) {
  if (name == "ONE_END") return rxnn::LineEnds::kOne;
  if (name == "BOTH_ENDS") return rxnn::LineEnds::kBoth;
  if (name == "ALTERNATING_ENDS") return rxnn::LineEnds::kAlternating;
  throw std::invalid_argument(std::string(argument) + " is '" + name +
                              "', expected ONE_END, BOTH_ENDS or ALTERNATING_ENDS");
}

// One resistance for all segments (a number), or one for each.
void SetSegments(const char* argument, const DoubleArray& ohm, double* all, std::vector<double>* each) {
  if (ohm.ndim() == 0) {
    *all = *ohm.data();
  } else if (ohm.ndim() == 1) {
    each->assign(ohm.data(), ohm.data() + ohm.size());
  } else {
    throw std::invalid_argument(std::string(argument) + " must be a number or a list of numbers");
  }
}

rxnn::WireResistances MakeWires(double source, double sink, const DoubleArray& wordline, const DoubleArray& bitline,
                                const std::string& driven, const std::string& sensed) {
  rxnn::WireResistances wires;
  wires.source_ohm = source;
  wires.sink_ohm = sink;
  SetSegments("r_wordline_ohm", wordline, &wires.wordline_ohm, &wires.wordline_segments_ohm);
  SetSegments("r_bitline_ohm", bitline, &wires.bitline_ohm, &wires.bitline_segments_ohm);
  wires.wordline_driven = ParseEnds("driven", driven);
  wires.bitline_sensed = ParseEnds("sensed", sensed);
  return wires;
}

// g: (..., M, N) in siemens; the result has its shape.
DoubleArray EquivalentConductance(const DoubleArray& g, const rxnn::WireResistances& wires) {
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
  rxnn::EquivalentConductanceBatch(in, static_cast<int>(count), rows, cols, wires, out);
  return g_eq;
}

// g: (M, N) in siemens, volts: (M); the voltages at the word-line and at the bit-line nodes, (M, N) each.
std::pair<DoubleArray, DoubleArray> NodeVoltages(const DoubleArray& g, const DoubleArray& volts,
                                                 const rxnn::WireResistances& wires) {
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
    rxnn::NodeVoltages(in, rows, cols, wires, drive, word_out, bit_out);
  }
  return {std::move(word), std::move(bit)};
}

rxnn::IvCurve MakeCurve(const std::string& kind, double v0_volt, std::vector<double> volt, std::vector<double> value) {
  rxnn::IvCurve curve;
  if (kind == "SINH") {
    curve.kind = rxnn::IvCurve::Kind::kSinh;
  } else if (kind == "TABLE") {
    curve.kind = rxnn::IvCurve::Kind::kTable;
  } else if (kind != "LINEAR") {
    throw std::invalid_argument("kind is '" + kind + "', expected LINEAR, SINH or TABLE");
  }
  curve.v0_volt = v0_volt;
  curve.volt = std::move(volt);
  curve.value = std::move(value);
  curve.Check();
  return curve;
}

// g: (M, N), volts: (B, M).
void RequireProblem(const DoubleArray& g, const DoubleArray& volts) {
  if (g.ndim() != 2) throw std::invalid_argument("g has shape (M, N): two axes");
  if (volts.ndim() != 2 || volts.shape(1) != g.shape(0)) {
    throw std::invalid_argument("volts must have shape (B, " + std::to_string(g.shape(0)) +
                                "), one voltage per row of g");
  }
}

using Solution = std::tuple<DoubleArray, DoubleArray, DoubleArray, std::vector<rxnn::SolveSummary>>;

Solution SolveArray(const DoubleArray& g, const DoubleArray& volts, const rxnn::WireResistances& wires,
                    const rxnn::IvCurve& curve, const std::vector<double>& series_ohm, int max_iterations,
                    double tolerance) {
  RequireProblem(g, volts);
  const auto rows = static_cast<int>(g.shape(0));
  const auto cols = static_cast<int>(g.shape(1));
  const auto count = static_cast<int>(volts.shape(0));
  DoubleArray currents(std::vector<py::ssize_t>{count, cols});
  DoubleArray word(std::vector<py::ssize_t>{count, rows, cols}), bit(std::vector<py::ssize_t>{count, rows, cols});
  rxnn::SolveOptions options;
  options.max_iterations = max_iterations;
  options.tolerance = tolerance;
  const double* in = g.data();
  const double* drive = volts.data();
  double* out = currents.mutable_data();
  double* word_out = word.mutable_data();
  double* bit_out = bit.mutable_data();
  std::vector<rxnn::SolveSummary> summaries;
  {
    const py::gil_scoped_release unlocked;
    summaries =
        rxnn::SolveArray(in, rows, cols, wires, {curve, series_ohm}, drive, count, options, out, word_out, bit_out);
  }
  return {std::move(currents), std::move(word), std::move(bit), std::move(summaries)};
}

std::pair<DoubleArray, rxnn::SolveSummary> EffectiveConductance(const DoubleArray& g, const DoubleArray& volts,
                                                                const rxnn::WireResistances& wires,
                                                                const rxnn::IvCurve& curve,
                                                                const std::vector<double>& series_ohm) {
  RequireProblem(g, volts);
  DoubleArray g_eff(std::vector<py::ssize_t>{g.shape(0), g.shape(1)});
  const double* in = g.data();
  const double* drive = volts.data();
  double* out = g_eff.mutable_data();
  rxnn::SolveSummary summary;
  {
    const py::gil_scoped_release unlocked;
    summary = rxnn::EffectiveConductance(in, static_cast<int>(g.shape(0)), static_cast<int>(g.shape(1)), wires,
                                         {curve, series_ohm}, drive, static_cast<int>(volts.shape(0)), out);
  }
  return {std::move(g_eff), std::move(summary)};
}

DoubleArray CurveCurrent(const rxnn::IvCurve& curve, const DoubleArray& v) {
  DoubleArray current(std::vector<py::ssize_t>(v.shape(), v.shape() + v.ndim()));
  for (py::ssize_t i = 0; i < v.size(); ++i) current.mutable_data()[i] = curve.Current(v.data()[i]);
  return current;
}

}  // namespace

void BindCircuit(py::module_& module) {
  py::class_<rxnn::IvCurve>(module, "IvCurve")
      .def(py::init(&MakeCurve), py::arg("kind"), py::arg("v0_volt"), py::arg("volt"), py::arg("value"))
      .def("current", &CurveCurrent, py::arg("v"), "Of a cell of 1 S, ampere.");
  py::class_<rxnn::SolveSummary>(module, "SolveSummary")
      .def_readonly("converged", &rxnn::SolveSummary::converged)
      .def_readonly("iterations", &rxnn::SolveSummary::iterations)
      .def_readonly("residual", &rxnn::SolveSummary::residual)
      .def_readonly("message", &rxnn::SolveSummary::message)
      .def("__repr__", [](const rxnn::SolveSummary& s) {
        return "SolveSummary(" + s.message + ", iterations=" + std::to_string(s.iterations) + ")";
      });
  py::register_exception<rxnn::SolveError>(module, "SolveError", PyExc_RuntimeError);
  module.def("solve_array", &SolveArray, py::arg("g"), py::arg("volts"), py::arg("wires"), py::arg("curve"),
             py::arg("series_ohm"), py::arg("max_iterations"), py::arg("tolerance"));
  module.def("effective_conductance", &EffectiveConductance, py::arg("g"), py::arg("volts"), py::arg("wires"),
             py::arg("curve"), py::arg("series_ohm"));
  py::class_<rxnn::WireResistances>(module, "Wires")
      .def(py::init(&MakeWires), py::kw_only(), py::arg("r_source_ohm"), py::arg("r_sink_ohm"),
           py::arg("r_wordline_ohm"), py::arg("r_bitline_ohm"), py::arg("driven"), py::arg("sensed"));
  module.def("equivalent_conductance", &EquivalentConductance, py::arg("g"), py::arg("wires"));
  module.def("node_voltages", &NodeVoltages, py::arg("g"), py::arg("volts"), py::arg("wires"));
}

}  // namespace pyrxnn
