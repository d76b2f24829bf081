// The weights of a layer on their arrays.
#include <optional>
#include <stdexcept>

#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/mapping.hpp"
#include "rxnn_bindings.hpp"

namespace pyrxnn {
namespace {

using rxnn::CrossbarMatrix;
using Shape = std::vector<py::ssize_t>;

template <typename... Parts>
void Require(bool condition, const Parts&... parts) {
  if (!condition) throw std::invalid_argument((std::string() + ... + parts));
}

std::unique_ptr<CrossbarMatrix> MakeMatrix(const std::string& hardware, const std::string& name, int groups, int inputs,
                                           int outputs) {
  return std::make_unique<CrossbarMatrix>(ParseHardware(hardware), name, groups, inputs, outputs);
}

void RequireWeights(const CrossbarMatrix& matrix, const FloatArray& weights) {
  const py::ssize_t outputs = static_cast<py::ssize_t>(matrix.groups()) * matrix.outputs();
  Require(weights.ndim() == 2 && weights.shape(0) == outputs && weights.shape(1) == matrix.inputs(),
          "weights must have shape (", std::to_string(outputs), ", ", std::to_string(matrix.inputs()), ")");
}

rxnn::ProgramReport Program(CrossbarMatrix& matrix, const FloatArray& weights,
                            const std::optional<rxnn::Progress>& progress) {
  RequireWeights(matrix, weights);
  const float* data = weights.data();
  const py::gil_scoped_release unlocked;  // a Python function behind `progress` takes the lock itself
  return matrix.Program(data, progress.value_or(rxnn::Progress()));
}

DoubleArray CellConductances(const CrossbarMatrix& matrix, const FloatArray& weights, int group, int row_tile,
                             int col_tile, int slice, int polarity) {
  RequireWeights(matrix, weights);
  const std::vector<double> g = matrix.CellConductances(weights.data(), {group, row_tile, col_tile, slice, polarity});
  return DoubleArray(Shape{matrix.hardware().rows, matrix.hardware().cols}, g.data());
}

std::uint32_t ArrayNumber(const CrossbarMatrix& matrix, int group, int row_tile, int col_tile, int slice,
                          int polarity) {
  return matrix.ArrayNumber({group, row_tile, col_tile, slice, polarity});
}

void Load(CrossbarMatrix& matrix, const FloatArray& levels, const FloatArray& scales) {
  const py::ssize_t outputs = static_cast<py::ssize_t>(matrix.groups()) * matrix.outputs();
  Require(levels.size() == matrix.num_levels(), "levels must be ", std::to_string(matrix.num_levels()), " values");
  Require(scales.size() == outputs, "scales must be ", std::to_string(outputs), " values");
  matrix.Load(levels.data(), scales.data());
}

FloatArray Levels(const CrossbarMatrix& matrix) {
  const rxnn::Hardware& hardware = matrix.hardware();
  FloatArray levels(Shape{matrix.packs().count, hardware.num_polarities(), hardware.num_slices(),
                          matrix.packs().pack_inputs(), matrix.packs().pack_outputs()});
  matrix.CopyLevels(levels.mutable_data());
  return levels;
}

FloatArray Matmul(CrossbarMatrix& matrix, const FloatArray& x, std::uint64_t first_read) {
  Require(matrix.groups() == 1, "matmul takes a matrix of one group");
  Require(x.ndim() == 2 && x.shape(1) == matrix.inputs(), "x must have shape (B, ", std::to_string(matrix.inputs()),
          ")");
  FloatArray y(Shape{x.shape(0), matrix.outputs()});
  const float* in = x.data();
  float* out = y.mutable_data();
  const py::gil_scoped_release unlocked;
  rxnn::CrossbarMatmul(matrix, in, static_cast<int>(x.shape(0)), first_read, out);
  return y;
}

DoubleArray Multiply(const CrossbarMatrix& matrix, const CodeArray& codes, int group, std::uint64_t first_read) {
  const rxnn::GroupPacks& packs = matrix.packs();
  Require(group >= 0 && group < packs.count, "there are ", std::to_string(packs.count),
          packs.shared() ? " packs of groups" : " groups");
  Require(codes.ndim() == 2 && codes.shape(1) == packs.pack_inputs(), "codes must have shape (B, ",
          std::to_string(packs.pack_inputs()), ")");
  const std::int32_t* in = codes.data();
  const int largest = matrix.hardware().max_input_code();
  bool has_negative = false;
  for (py::ssize_t i = 0; i < codes.size(); ++i) {
    Require(in[i] >= -largest && in[i] <= largest, "input code ", std::to_string(in[i]), " is outside -",
            std::to_string(largest), " to ", std::to_string(largest));
    has_negative = has_negative || in[i] < 0;
  }
  Require(!matrix.needs_calibration(), "the range of the ADCs is not calibrated: run matmul first");
  DoubleArray sums(Shape{codes.shape(0), packs.pack_outputs()});
  double* out = sums.mutable_data();
  const py::gil_scoped_release unlocked;
  matrix.Multiply(group, in, static_cast<int>(codes.shape(0)), has_negative, first_read, out);
  return sums;
}

}  // namespace

void BindMatrix(py::module_& module) {
  using rxnn::ProgramReport;
  py::class_<ProgramReport>(module, "ProgramReport")
      .def_readonly("tiles", &ProgramReport::tiles)
      .def_readonly("arrays", &ProgramReport::arrays)
      .def_readonly("programmed_arrays", &ProgramReport::programmed_arrays)
      .def_readonly("distinct_arrays", &ProgramReport::distinct_arrays)
      .def_readonly("utilisation", &ProgramReport::utilisation)
      .def_readonly("mean_relative_change", &ProgramReport::mean_relative_change)
      .def_readonly("worst_relative_change", &ProgramReport::worst_relative_change);

  py::class_<CrossbarMatrix>(module, "CrossbarMatrix")
      .def(py::init(&MakeMatrix), py::arg("hardware"), py::arg("name"), py::arg("groups"), py::arg("inputs"),
           py::arg("outputs"))
      .def("program", &Program, py::arg("weights"), py::arg("progress") = py::none())
      .def("array_number", &ArrayNumber, py::arg("group"), py::arg("row_tile"), py::arg("col_tile"),
           py::arg("bit_slice"), py::arg("polarity"), "The number that names an array in faults.")
      .def("cell_conductances", &CellConductances, py::arg("weights"), py::arg("group"), py::arg("row_tile"),
           py::arg("col_tile"), py::arg("bit_slice"), py::arg("polarity"),
           "Programmed conductances of one array, before wires, (rows, cols), siemens.")
      .def("load", &Load, py::arg("levels"), py::arg("scales"))
      .def("levels", &Levels, "Levels above g_off, (group or pack of groups, polarity, slice, K, N).")
      .def("scales",
           [](const CrossbarMatrix& m) {
             return FloatArray(static_cast<py::ssize_t>(m.scales().size()), m.scales().data());
           })
      .def("matmul", &Matmul, py::arg("x"), py::arg("first_read") = 0)
      .def("multiply", &Multiply, py::arg("codes"), py::arg("group") = 0, py::arg("first_read") = 0)
      .def("output_scale", &CrossbarMatrix::OutputScale, py::arg("output"), py::arg("input_range"))
      .def_property_readonly("num_levels", &CrossbarMatrix::num_levels)
      .def_property_readonly("num_slices", [](const CrossbarMatrix& m) { return m.hardware().num_slices(); })
      .def_property_readonly("num_polarities", [](const CrossbarMatrix& m) { return m.hardware().num_polarities(); })
      .def_property_readonly("num_tiles", &CrossbarMatrix::num_tiles)
      .def_property_readonly("num_arrays", &CrossbarMatrix::num_arrays)
      .def_property_readonly("groups_together", [](const CrossbarMatrix& m) { return m.packs().together; });
}

}  // namespace pyrxnn
