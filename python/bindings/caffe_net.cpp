// caffe.Net: the native part, which python/caffe/pycaffe.py dresses.
#include <functional>
#include <utility>

#include "caffe/layers/memory_data_layer.hpp"
#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

using Network = caffe::Net<float>;

// Calls a Python function with the index of each layer.
class LayerCallback : public Network::Callback {
 public:
  explicit LayerCallback(std::function<void(int)> function) : function_(std::move(function)) {}

 protected:
  void run(int layer) override { function_(layer); }

 private:
  std::function<void(int)> function_;  // takes the interpreter's lock itself
};

// A net with the callbacks and input arrays that scripts hand to it.
class PyNet : public Network {
 public:
  using Network::Network;

  LayerCallback* Keep(std::function<void(int)> function) {
    callbacks_.push_back(std::make_unique<LayerCallback>(std::move(function)));
    return callbacks_.back().get();
  }

  // Feeds a MemoryData layer that stands first.
  void SetInputArrays(FloatArray data, FloatArray labels) {
    auto* layer = layers().empty() ? nullptr : dynamic_cast<caffe::MemoryDataLayer<float>*>(layers()[0].get());
    CAFFE_REQUIRE(layer != nullptr) << "set_input_arrays may only be called if the first layer is a MemoryDataLayer";
    CAFFE_REQUIRE(data.ndim() == 4) << "data must be 4-d";
    CAFFE_REQUIRE(data.shape(1) == layer->channels() && data.shape(2) == layer->height() &&
                  data.shape(3) == layer->width())
        << "data is (N, " << data.shape(1) << ", " << data.shape(2) << ", " << data.shape(3)
        << "), the layer takes (N, " << layer->channels() << ", " << layer->height() << ", " << layer->width() << ")";
    CAFFE_REQUIRE(labels.size() == data.shape(0)) << labels.size() << " labels for " << data.shape(0) << " images";
    CAFFE_REQUIRE(data.shape(0) % layer->batch_size() == 0)
        << data.shape(0) << " images are no multiple of the batch size, " << layer->batch_size();
    layer->Reset(data.mutable_data(), labels.mutable_data(), static_cast<int>(data.shape(0)));
    inputs_ = {std::move(data), std::move(labels)};
  }

 private:
  std::vector<std::unique_ptr<LayerCallback>> callbacks_;
  std::vector<FloatArray> inputs_;  // the layer reads from them
};

std::shared_ptr<PyNet> MakeNet(const Path& network_file, int phase, int level,
                               const std::optional<std::vector<std::string>>& stages,
                               const std::optional<Path>& weights) {
  RequireFile(network_file);
  if (weights) RequireFile(*weights);
  const py::gil_scoped_release unlocked;
  auto net = std::make_shared<PyNet>(network_file.string(), static_cast<caffe::Phase>(phase), level,
                                     stages ? &*stages : nullptr);
  if (weights) net->CopyTrainedLayersFrom(weights->string());
  return net;
}

void Save(const PyNet& net, const Path& file) {
  caffe::NetParameter param;
  net.ToProto(&param, false);
  caffe::WriteProtoToBinaryFile(param, file.string());
}

std::vector<std::string> BlobNames(const PyNet& net, const std::vector<int>& indices) {
  std::vector<std::string> names;
  for (const int index : indices) names.push_back(net.blob_names()[index]);
  return names;
}

using Unlocked = py::call_guard<py::gil_scoped_release>;

void BindRunning(py::class_<PyNet, std::shared_ptr<PyNet>>& net) {
  net.def("_forward", &PyNet::ForwardFromTo, py::arg("start"), py::arg("end"), Unlocked())
      .def("_backward", &PyNet::BackwardFromTo, py::arg("start"), py::arg("end"), Unlocked())
      .def("reshape", &PyNet::Reshape, Unlocked(), "Carries changed input shapes through all layers.")
      .def("clear_param_diffs", &PyNet::ClearParamDiffs, "Sets the gradients of all parameters to 0.")
      .def("_set_input_arrays", &PyNet::SetInputArrays, py::arg("data"), py::arg("labels"))
      .def("before_forward", [](PyNet& n, std::function<void(int)> f) { n.add_before_forward(n.Keep(std::move(f))); })
      .def("after_forward", [](PyNet& n, std::function<void(int)> f) { n.add_after_forward(n.Keep(std::move(f))); })
      .def("before_backward", [](PyNet& n, std::function<void(int)> f) { n.add_before_backward(n.Keep(std::move(f))); })
      .def("after_backward", [](PyNet& n, std::function<void(int)> f) { n.add_after_backward(n.Keep(std::move(f))); });
}

void BindParameters(py::class_<PyNet, std::shared_ptr<PyNet>>& net) {
  net.def(
         "copy_from",
         [](PyNet& n, const Path& file) {
           RequireFile(file);
           const py::gil_scoped_release unlocked;
           n.CopyTrainedLayersFrom(file.string());
         },
         py::arg("file"), "Takes the parameters of layers of the same name from a .caffemodel or HDF5 file.")
      .def(
          "share_with", [](PyNet& n, const PyNet& other) { n.ShareTrainedLayersWith(&other); }, py::arg("net"),
          "Uses the memory of the parameters of the other net's layers of the same name.")
      .def("save", &Save, py::arg("file"), Unlocked(), "Writes layers and parameters as a binary NetParameter.")
      .def(
          "save_hdf5", [](const PyNet& n, const Path& file) { n.ToHDF5(file.string()); }, py::arg("file"), Unlocked())
      .def(
          "load_hdf5",
          [](PyNet& n, const Path& file) {
            RequireFile(file);
            n.CopyTrainedLayersFromHDF5(file.string());
          },
          py::arg("file"), Unlocked());
}

}  // namespace

void BindNet(py::module_& module) {
  py::class_<PyNet, std::shared_ptr<PyNet>> net(module, "Net");
  net.def(py::init(&MakeNet), py::arg("network_file"), py::arg("phase"), py::arg("level") = 0,
          py::arg("stages") = py::none(), py::arg("weights") = py::none())
      .def_property_readonly("name", &PyNet::name)
      .def_property_readonly("layers", [](const PyNet& n) { return n.layers(); })
      .def_property_readonly("_blobs", [](const PyNet& n) { return n.blobs(); })
      .def_property_readonly("_layer_names", &PyNet::layer_names)
      .def_property_readonly("_blob_names", &PyNet::blob_names)
      .def_property_readonly("_blob_loss_weights", &PyNet::blob_loss_weights)
      .def_property_readonly("inputs", [](const PyNet& n) { return BlobNames(n, n.input_blob_indices()); })
      .def_property_readonly("outputs", [](const PyNet& n) { return BlobNames(n, n.output_blob_indices()); })
      .def("_top_ids", &PyNet::top_ids, py::arg("layer"))
      .def("_bottom_ids", &PyNet::bottom_ids, py::arg("layer"));
  BindRunning(net);
  BindParameters(net);
}

}  // namespace pycaffe
