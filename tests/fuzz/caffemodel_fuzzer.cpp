// Weights: read, upgraded and copied into a net that has layers of their names.
#include "caffe/net.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"
#include "tests/fuzz/fuzz_support.hpp"

namespace {

const char* const kNet = R"(
  layer { name: 'data' type: 'Input' top: 'data' input_param { shape { dim: 1 dim: 2 dim: 4 dim: 4 } } }
  layer { name: 'conv' type: 'Convolution' bottom: 'data' top: 'conv' convolution_param { num_output: 2 kernel_size: 3 } }
  layer { name: 'norm' type: 'BatchNorm' bottom: 'conv' top: 'norm' }
  layer { name: 'scale' type: 'Scale' bottom: 'norm' top: 'scale' scale_param { bias_term: true } }
  layer { name: 'ip' type: 'InnerProduct' bottom: 'scale' top: 'ip' inner_product_param { num_output: 3 } }
)";

caffe::Net<float>& TestNet() {
  static caffe::Net<float>* net = [] {
    caffe::NetParameter param;
    caffe::ReadProtoFromText(kNet, "net", &param);
    param.mutable_state()->set_phase(caffe::TEST);
    return new caffe::Net<float>(param);
  }();
  return *net;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string file = rxnn::fuzz::MemoryFile(data, size);
  rxnn::fuzz::Try([&] { TestNet().CopyTrainedLayersFromBinaryProto(file); });
  // A mean image is a blob in a file of its own.
  rxnn::fuzz::Try([&] {
    caffe::BlobProto proto;
    caffe::ReadProtoFromBinaryFileOrDie(file, &proto);
    caffe::Blob<double> blob;
    blob.FromProto(proto);
  });
  return 0;
}
