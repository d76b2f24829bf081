// The list classes of caffe._caffe that hold copies: IntVec and its like are lists with a name.
#include "caffe_bindings.hpp"

namespace pycaffe {

void BindVectors(py::module_& module) {
  const py::module_ builtins = py::module_::import("builtins");
  for (const char* name : {"StringVec", "IntVec", "DtypeVec", "BoolVec", "LayerVec", "NetVec"}) {
    py::dict members;
    members["__module__"] = "caffe._caffe";
    members["__doc__"] = "A list that the engine filled.";
    members["__slots__"] = py::tuple();
    module.attr(name) = builtins.attr("type")(name, py::make_tuple(builtins.attr("list")), members);
  }
}

}  // namespace pycaffe
