// Network and weight files for tools that rewrite them: read and written by the engine's own code, so that every age of
// file is taken and complaints carry file, line and column.
#include <algorithm>
#include <map>

#include "caffe_bindings.hpp"

namespace pycaffe {
namespace {

using Arrays = std::vector<FloatArray>;

// Text has no control characters below tab; the first tags of a message are among them.
bool IsBinary(const Path& file) {
  std::ifstream stream(file, std::ios::binary);
  char head[4096];
  stream.read(head, sizeof(head));
  return std::any_of(head, head + stream.gcount(), [](char byte) { return byte >= 0 && byte < '\t'; });
}

// The network of a prototxt (or of a caffemodel, without its weights), as a serialised NetParameter of the current
// form.
py::bytes ReadNet(const Path& file) {
  RequireFile(file);
  caffe::NetParameter net;
  if (IsBinary(file)) {
    caffe::ReadNetParamsFromBinaryFileOrDie(file.string(), &net);
    for (caffe::LayerParameter& layer : *net.mutable_layer()) layer.clear_blobs();
  } else {
    caffe::ReadNetParamsFromTextFileOrDie(file.string(), &net);
  }
  return net.SerializeAsString();
}

// Old files give every blob four axes; layers of that age have the shapes below.
std::vector<int> Shape(const caffe::LayerParameter& layer, int index) {
  const caffe::BlobProto& blob = layer.blobs(index);
  if (blob.has_shape()) return {blob.shape().dim().begin(), blob.shape().dim().end()};
  if (index > 0) return {blob.num() * blob.channels() * blob.height() * blob.width()};
  if (layer.type() == "InnerProduct") return {blob.height(), blob.width()};
  return {blob.num(), blob.channels(), blob.height(), blob.width()};
}

FloatArray ToArray(const caffe::LayerParameter& layer, int index) {
  const caffe::BlobProto& blob = layer.blobs(index);
  const std::vector<int> shape = Shape(layer, index);
  std::int64_t count = 1;
  for (const int dim : shape) count *= dim;
  const std::int64_t given = std::max(blob.data_size(), blob.double_data_size());
  CAFFE_REQUIRE(count == given) << "blob " << index << " of layer '" << layer.name() << "' holds " << given
                                << " values, its shape asks for " << count;
  FloatArray array(shape);
  if (blob.double_data_size() > 0) {
    std::copy(blob.double_data().begin(), blob.double_data().end(), array.mutable_data());
  } else {
    std::copy(blob.data().begin(), blob.data().end(), array.mutable_data());
  }
  return array;
}

// Parameters by layer, from a binary NetParameter of any age.
py::dict ReadWeights(const Path& file) {
  RequireFile(file);
  caffe::NetParameter net;
  {
    const py::gil_scoped_release unlocked;
    caffe::ReadNetParamsFromBinaryFileOrDie(file.string(), &net);
  }
  py::dict weights;
  for (const caffe::LayerParameter& layer : net.layer()) {
    if (layer.blobs_size() == 0) continue;
    Arrays arrays;
    for (int i = 0; i < layer.blobs_size(); ++i) arrays.push_back(ToArray(layer, i));
    weights[ToStr(layer.name())] = arrays;
  }
  return weights;
}

// Writes `net` with the parameters that `weights` has for its layers.
void WriteWeights(const Path& file, const std::string& net, const std::map<std::string, Arrays>& weights) {
  caffe::NetParameter param;
  CAFFE_REQUIRE(param.ParseFromString(net)) << "write_weights takes a serialised NetParameter";
  for (caffe::LayerParameter& layer : *param.mutable_layer()) {
    const auto found = weights.find(layer.name());
    if (found == weights.end()) continue;
    for (const FloatArray& array : found->second) {
      caffe::BlobProto* blob = layer.add_blobs();
      for (py::ssize_t axis = 0; axis < array.ndim(); ++axis) blob->mutable_shape()->add_dim(array.shape(axis));
      blob->mutable_data()->Add(array.data(), array.data() + array.size());
    }
  }
  const py::gil_scoped_release unlocked;
  caffe::WriteProtoToBinaryFile(param, file.string());
}

}  // namespace

void BindNetFiles(py::module_& module) {
  module.def("read_net", &ReadNet, py::arg("file"), "A network file, upgraded, as a serialised NetParameter.");
  module.def("read_weights", &ReadWeights, py::arg("file"), "The parameters in a .caffemodel: layer name -> arrays.");
  module.def("write_weights", &WriteWeights, py::arg("file"), py::arg("net"), py::arg("weights"),
             "Writes a .caffemodel: a serialised NetParameter and its parameters.");
}

}  // namespace pycaffe
