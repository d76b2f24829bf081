// caffe.Net: the native part; python/caffe/pycaffe.py adds what is said in Python.
#include <functional>
#include <utility>

#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

using NetPtr = std::shared_ptr<Network>;
using NetClass = py::class_<Network, NetPtr>;

// Calls a Python function with the index of each layer.
class LayerCallback : public Network::Callback {
 public:
  explicit LayerCallback(std::function<void(int)> function) : function_(std::move(function)) {}

 protected:
  void run(int layer) override { function_(layer); }

 private:
  std::function<void(int)> function_;  // takes the interpreter's lock itself
};

// Binary or HDF5, whatever the file is called.
void CopyFrom(Network& net, const Path& file) {
  RequireFile(file);
  std::string head(8, '\0');
  std::ifstream(file, std::ios::binary).read(head.data(), static_cast<std::streamsize>(head.size()));
  if (head == "\x89HDF\r\n\x1a\n") {
    net.CopyTrainedLayersFromHDF5(file.string());
  } else {
    net.CopyTrainedLayersFromBinaryProto(file.string());
  }
}

NetPtr MakeNet(const Path& network_file, int phase, int level, const std::optional<std::vector<std::string>>& stages,
               const std::optional<Path>& weights) {
  CAFFE_REQUIRE(phase == caffe::TRAIN || phase == caffe::TEST)
      << "phase is " << phase << "; it must be caffe.TRAIN or caffe.TEST";
  RequireFile(network_file);
  if (weights) RequireFile(*weights);
  const py::gil_scoped_release unlocked;
  auto net = std::make_shared<Network>(network_file.string(), static_cast<caffe::Phase>(phase), level,
                                       stages ? &*stages : nullptr);
  if (weights) CopyFrom(*net, *weights);
  return net;
}

NetPtr MakeNetOldForm(const Path& network_file, const Path& weights_file, int phase) {
  const int status = PyErr_WarnEx(PyExc_DeprecationWarning,
                                  "Net(network_file, weights_file, phase) is the old form; use "
                                  "Net(network_file, phase, weights=weights_file)",
                                  1);
  if (status != 0) throw py::error_already_set();
  return MakeNet(network_file, phase, 0, std::nullopt, weights_file);
}

void Save(const Network& net, const Path& file) {
  caffe::NetParameter param;
  net.ToProto(&param, false);
  caffe::WriteProtoToBinaryFile(param, file.string());
}

std::vector<std::string> BlobNames(const Network& net, const std::vector<int>& indices) {
  std::vector<std::string> names;
  for (const int index : indices) names.push_back(net.blob_names()[index]);
  return names;
}

using Unlocked = py::call_guard<py::gil_scoped_release>;

// Binds a function that takes a callback and hands it to the net.
void BindCallback(NetClass& net, const char* name, void (Network::*add)(Network::Callback*), const char* doc) {
  net.def(
      name,
      [add](const NetPtr& n, std::function<void(int)> function) {
        auto callback = std::make_shared<LayerCallback>(std::move(function));
        ((*n).*add)(callback.get());
        KeepWith(n, std::move(callback));  // nets do not own their callbacks
      },
      py::arg("function"), doc);
}

void BindRunning(NetClass& net) {
  net.def("_forward", &Network::ForwardFromTo, py::arg("start"), py::arg("end"), Unlocked(),
          "Runs layers start..end (indices, both included); returns their weighted loss.")
      .def("_backward", &Network::BackwardFromTo, py::arg("start"), py::arg("end"), Unlocked(),
           "Runs the gradients from layer start back to end.")
      .def("reshape", &Network::Reshape, Unlocked(), "Carries changed input shapes through all layers.")
      .def("clear_param_diffs", &Network::ClearParamDiffs, "Sets the gradients of all parameters to 0.")
      .def("_set_input_arrays", &SetInputArrays, py::arg("data"), py::arg("labels"));
  BindCallback(net, "before_forward", &Network::add_before_forward, "Calls function(layer_index) before each layer.");
  BindCallback(net, "after_forward", &Network::add_after_forward, "Calls function(layer_index) after each layer.");
  BindCallback(net, "before_backward", &Network::add_before_backward,
               "Calls function(layer_index) before each layer's gradients.");
  BindCallback(net, "after_backward", &Network::add_after_backward,
               "Calls function(layer_index) after each layer's gradients.");
}

void BindParameters(NetClass& net) {
  net.def("copy_from", &CopyFrom, py::arg("file"), Unlocked(),
          "Takes the parameters of layers of the same name from a .caffemodel or HDF5 file.")
      .def(
          "share_with", [](Network& n, const Network& other) { n.ShareTrainedLayersWith(&other); }, py::arg("net"),
          "Uses the memory of the parameters of the other net's layers of the same name.")
      .def("save", &Save, py::arg("file"), Unlocked(), "Writes layers and parameters as a binary NetParameter.")
      .def(
          "save_hdf5", [](const Network& n, const Path& file) { n.ToHDF5(file.string()); }, py::arg("file"), Unlocked(),
          "Writes the parameters as HDF5.")
      .def(
          "load_hdf5",
          [](Network& n, const Path& file) {
            RequireFile(file);
            n.CopyTrainedLayersFromHDF5(file.string());
          },
          py::arg("file"), Unlocked(), "Takes the parameters from an HDF5 file.");
}

// What pycaffe.py makes dictionaries of.
void BindParts(NetClass& net) {
  net.def_property_readonly("_blobs", [](const Network& n) { return BlobVec(n.blobs()); })
      .def_property_readonly("_layer_names", [](const Network& n) { return MakeVec("StringVec", n.layer_names()); })
      .def_property_readonly("_blob_names", [](const Network& n) { return MakeVec("StringVec", n.blob_names()); })
      .def_property_readonly("_inputs", [](const Network& n) { return MakeVec("IntVec", n.input_blob_indices()); })
      .def_property_readonly("_outputs", [](const Network& n) { return MakeVec("IntVec", n.output_blob_indices()); })
      .def_property_readonly("_blob_loss_weights",
                             [](const Network& n) { return MakeVec("DtypeVec", n.blob_loss_weights()); })
      .def(
          "_top_ids", [](const Network& n, int layer) { return MakeVec("IntVec", n.top_ids(layer)); }, py::arg("layer"))
      .def(
          "_bottom_ids", [](const Network& n, int layer) { return MakeVec("IntVec", n.bottom_ids(layer)); },
          py::arg("layer"));
}

}  // namespace

void BindNet(py::module_& module) {
  NetClass net(module, "Net", py::dynamic_attr(),
               "A network: blobs between layers, parameters, forward and backward.\n\n"
               "Net(network_file, phase, level=0, stages=None, weights=None)\n"
               "Net(network_file, weights_file, phase)  # the old form\n\n"
               "Args:\n"
               "    network_file: a prototxt.\n"
               "    phase: caffe.TRAIN or caffe.TEST; with level and stages it chooses the layers that take part.\n"
               "    weights: a .caffemodel or HDF5 file with parameters, taken by the names of layers.");
  net.def(py::init(&MakeNet), py::arg("network_file"), py::arg("phase"), py::arg("level") = 0,
          py::arg("stages") = py::none(), py::arg("weights") = py::none())
      .def(py::init(&MakeNetOldForm), py::arg("network_file"), py::arg("weights_file"), py::arg("phase"))
      .def_property_readonly("name", &Network::name, "The name in the prototxt.")
      .def_property_readonly(
          "layers", [](const Network& n) { return MakeVec("LayerVec", n.layers()); },
          "All layers in the order they run, the Split layers that were added included.")
      .def_property_readonly(
          "inputs", [](const Network& n) { return BlobNames(n, n.input_blob_indices()); },
          "Names of the blobs that Input layers make.")
      .def_property_readonly(
          "outputs", [](const Network& n) { return BlobNames(n, n.output_blob_indices()); },
          "Names of the blobs that no layer reads.");
  BindParts(net);
  BindRunning(net);
  BindParameters(net);
}

}  // namespace pycaffe
