// Brings an old network in text form (prototxt) up to date.
#include "upgrade_tool.hpp"

namespace caffe::tools {
namespace {

int Run(int argc, char** argv) {
  return UpgradeFile<NetParameter>(argc, argv, ReadProtoFromTextFileOrDie, NetNeedsUpgrade, UpgradeNetAsNeeded,
                                   WriteProtoToTextFile);
}

const char* const kUsage =
    "Brings a network in text form (prototxt), of any age, to the form of Caffe 1.0.\n"
    "usage: upgrade_net_proto_text INPUT OUTPUT";

}  // namespace
}  // namespace caffe::tools

int main(int argc, char** argv) {
  return caffe::ToolMain(argc, argv, "upgrade_net_proto_text", caffe::tools::kUsage, caffe::tools::Run);
}
