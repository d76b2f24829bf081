// caffe.Layer: a layer of a net to look at, and the base class of layers written in Python.
#include <utility>

#include "caffe/layers/python_layer.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

// Runs `action` with the interpreter's lock held; what Python raises becomes an Error that remembers it.
template <typename Action>
auto InPython(Action action) {
  const py::gil_scoped_acquire locked;
  try {
    return action();
  } catch (const py::error_already_set& error) {
    throw PythonError(error);
  }
}

// A layer whose work is done by the methods of its Python object. The engine calls it with the interpreter's lock
// released.
class PythonLayer : public Layer {
 public:
  using Layer::Layer;

  const char* type() const override { return "Python"; }

  void LayerSetUp(const std::vector<Blob*>& bottom, const std::vector<Blob*>& top) override {
    InPython([&] {
      const py::object self = py::cast(static_cast<Layer*>(this));
      self.attr("param_str") = layer_param_.python_param().param_str();
      self.attr("phase") = static_cast<int>(phase_);
      const py::function setup = py::get_override(static_cast<const Layer*>(this), "setup");
      if (setup) setup(BlobVec(bottom), BlobVec(top));
    });
  }

  void Reshape(const std::vector<Blob*>& bottom, const std::vector<Blob*>& top) override {
    InPython([&] { Method("reshape", "bottom, top")(BlobVec(bottom), BlobVec(top)); });
  }

 protected:
  void Forward_cpu(const std::vector<Blob*>& bottom, const std::vector<Blob*>& top) override {
    InPython([&] { Method("forward", "bottom, top")(BlobVec(bottom), BlobVec(top)); });
  }

  void Backward_cpu(const std::vector<Blob*>& top, const std::vector<bool>& propagate_down,
                    const std::vector<Blob*>& bottom) override {
    InPython([&] {
      Method("backward", "top, propagate_down, bottom")(BlobVec(top), MakeVec("BoolVec", propagate_down),
                                                        BlobVec(bottom));
    });
  }

 private:
  py::function Method(const char* name, const char* arguments) const {
    py::function method = py::get_override(static_cast<const Layer*>(this), name);
    const caffe::PythonParameter& param = layer_param_.python_param();
    CAFFE_REQUIRE(method) << "class " << param.layer() << " of module " << param.module() << " has no method " << name
                          << "(self, " << arguments << ")";
    return method;
  }
};

// Holds the Python object for as long as C++ holds the layer.
class Release {
 public:
  explicit Release(py::object self) : self_(new py::object(std::move(self))) {}
  void operator()(Layer* /*layer*/) const {
    if (!Py_IsInitialized()) return;  // at the end of a program, Python may have gone first
    const py::gil_scoped_acquire locked;
    delete self_;
  }

 private:
  py::object* self_;
};

py::object Import(const std::string& module) {
  try {
    return py::module_::import(module.c_str());
  } catch (py::error_already_set& error) {
    const bool missing = error.matches(PyExc_ModuleNotFoundError);
    throw PythonError(error, missing ? " (is the folder of the module on PYTHONPATH?)" : "");
  }
}

std::shared_ptr<Layer> MakePythonLayer(const caffe::LayerParameter& param) {
  const std::string& module = param.python_param().module();
  const std::string& name = param.python_param().layer();
  CAFFE_REQUIRE(!module.empty() && !name.empty()) << "python_param must name a module and a layer, a class in it";
  return InPython([&] {
    const py::object type = Import(module).attr(name.c_str());
    CAFFE_REQUIRE(PyType_Check(type.ptr()) &&
                  PyType_IsSubtype(reinterpret_cast<PyTypeObject*>(type.ptr()),
                                   reinterpret_cast<PyTypeObject*>(py::type::of<Layer>().ptr())))
        << module << "." << name << " is no subclass of caffe.Layer";
    py::object self = type(param);
    auto* layer = self.cast<Layer*>();
    return std::shared_ptr<Layer>(layer, Release(std::move(self)));
  });
}

}  // namespace

void BindLayer(py::module_& module) {
  py::class_<caffe::LayerParameter>(module, "LayerParameter", "The definition of a layer.")
      .def_property_readonly(
          "name", [](const caffe::LayerParameter& param) { return param.name(); }, "Its name in the net.")
      .def_property_readonly(
          "type", [](const caffe::LayerParameter& param) { return param.type(); }, "The name of its type.");

  py::class_<Layer, PythonLayer, std::shared_ptr<Layer>>(
      module, "Layer", py::dynamic_attr(),
      "A layer of a net, and the base class of Python layers, which have the methods setup(bottom, top), "
      "reshape(bottom, top), forward(bottom, top) and backward(top, propagate_down, bottom).")
      .def(py::init<const caffe::LayerParameter&>(), py::arg("param"))
      .def_property_readonly(
          "blobs", [](const std::shared_ptr<Layer>& layer) { return BlobVec(layer); }, "Its parameters, a BlobVec.")
      .def_property_readonly(
          "type", [](const Layer& layer) { return std::string(layer.type()); }, "The name of its type.")
      .def_property_readonly(
          "name", [](const Layer& layer) { return layer.layer_param().name(); }, "Its name in the net.")
      .def_property_readonly(
          "statistics",
          [](const Layer& layer) {
            py::dict statistics;
            for (const auto& [name, value] : layer.Statistics()) statistics[py::str(name)] = value;
            return statistics;
          },
          "What the layer counted since it was made, by name; most layers count nothing.")
      .def("time_parts", &Layer::TimeParts, py::arg("on"), "Whether the parts of forward are timed from now on.")
      .def_property_readonly(
          "part_seconds",
          [](const Layer& layer) {
            py::dict seconds;
            for (const auto& [name, value] : layer.PartSeconds()) seconds[py::str(name)] = value;
            return seconds;
          },
          "Seconds that the parts of forward have taken so far, by name; most layers have no parts.")
      .def(
          "setup",
          [](Layer& layer, const BlobVec& bottom, const BlobVec& top) {
            layer.LayerSetUp(bottom.Pointers(), top.Pointers());
          },
          py::arg("bottom"), py::arg("top"), "What the layer does once, before its first reshape.")
      .def(
          "reshape",
          [](Layer& layer, const BlobVec& bottom, const BlobVec& top) {
            layer.Reshape(bottom.Pointers(), top.Pointers());
          },
          py::arg("bottom"), py::arg("top"), "Gives the tops the shapes that the bottoms ask for.");
  caffe::SetPythonLayerFactory(&MakePythonLayer);
}

}  // namespace pycaffe
