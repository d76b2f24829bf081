// caffe.Layer: a layer of a net, to look at.
#include "caffe_bindings.hpp"

namespace pycaffe {

void BindLayer(py::module_& module) {
  py::class_<Layer, std::shared_ptr<Layer>>(module, "Layer", "A layer of a net.")
      .def_property_readonly(
          "blobs", [](Layer& layer) { return layer.blobs(); }, "Its parameters.")
      .def_property_readonly("type", [](const Layer& layer) { return std::string(layer.type()); })
      .def_property_readonly("name", [](const Layer& layer) { return layer.layer_param().name(); });
}

}  // namespace pycaffe
