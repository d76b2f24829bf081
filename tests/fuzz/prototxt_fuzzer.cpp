// Text of a network or a solver: parsed, upgraded, checked; a small network is built, and a tiny one run.
#include <algorithm>
#include <set>

#include "caffe/net.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"
#include "tests/fuzz/fuzz_support.hpp"

namespace {

using rxnn::fuzz::Try;

// Layers that open or write what the text names, and those whose time grows with a size by design.
bool IsExcluded(const caffe::LayerParameter& layer) {
  static const std::set<std::string> excluded = {
      "Data",       "ImageData", "WindowData",          "HDF5Data",
      "HDF5Output", "Python",    "CrossbarConvolution", "CrossbarInnerProduct"};
  return excluded.count(layer.type()) > 0 || layer.transform_param().has_mean_file();
}

constexpr int kMaxLayers = 6;
constexpr long kMaxValuesToRun = 1 << 13;

void BuildAndRun(const caffe::NetParameter& param) {
  const auto& layers = param.layer();
  if (layers.size() > kMaxLayers || std::any_of(layers.begin(), layers.end(), IsExcluded)) return;
  caffe::Net<float> net(param);
  long values = 0;
  for (const auto& blob : net.blobs()) values += blob->count();
  for (const auto& blob : net.params()) values += blob->count();
  if (values > kMaxValuesToRun) return;
  net.Forward();
  net.Backward();
  net.Reshape();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string file = rxnn::fuzz::MemoryFile(data, size);
  bool is_net = false;
  Try([&] {
    caffe::NetParameter net;
    caffe::ReadNetParamsFromTextFileOrDie(file, &net);
    is_net = true;
    BuildAndRun(net);
  });
  if (is_net) return 0;
  Try([&] {
    caffe::SolverParameter solver;
    caffe::ReadSolverParamsFromTextFileOrDie(file, &solver);
    if (solver.has_net_param()) BuildAndRun(solver.net_param());
  });
  return 0;
}
