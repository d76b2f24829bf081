// Brings an old network in binary form (caffemodel) up to date.
#include "upgrade_tool.hpp"

namespace caffe::tools {
namespace {

int Run(int argc, char** argv) {
  return UpgradeFile<NetParameter>(argc, argv, ReadProtoFromBinaryFileOrDie, NetNeedsUpgrade, UpgradeNetAsNeeded,
                                   WriteProtoToBinaryFile);
}

const char* const kUsage =
    "Brings a network in binary form (caffemodel), of any age, to the form of Caffe 1.0.\n"
    "usage: upgrade_net_proto_binary INPUT OUTPUT";

}  // namespace
}  // namespace caffe::tools

int main(int argc, char** argv) {
  return caffe::ToolMain(argc, argv, "upgrade_net_proto_binary", caffe::tools::kUsage, caffe::tools::Run);
}
