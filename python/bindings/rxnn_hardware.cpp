// Hardware descriptions: text and messages in, checked.
#include "rxnn_bindings.hpp"
#include "rxnn_layers/hardware_proto.hpp"

namespace pyrxnn {

rxnn::Hardware ParseHardware(const std::string& message) {
  caffe::CrossbarParameter param;
  if (!param.ParseFromString(message)) throw rxnn::HardwareError("not a serialised CrossbarParameter");
  rxnn::Hardware hardware = rxnn::HardwareFromProto(param);
  hardware.Validate();
  return hardware;
}

void BindHardware(py::module_& module) {
  module.def(
      "read_hardware",
      [](const std::string& source) { return py::bytes(rxnn::ReadHardware(source).SerializeAsString()); },
      py::arg("source"),
      "A preset's path or text as a serialised CrossbarParameter; whether it can exist is not checked.");
  module.def(
      "validate_hardware", [](const std::string& message) { ParseHardware(message); }, py::arg("message"),
      "Raises HardwareError for hardware that cannot exist.");
}

}  // namespace pyrxnn
