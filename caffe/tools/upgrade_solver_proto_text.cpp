// Brings an old solver file up to date.
#include "upgrade_tool.hpp"

namespace caffe::tools {
namespace {

int Run(int argc, char** argv) {
  return UpgradeFile<SolverParameter>(argc, argv, ReadProtoFromTextFileOrDie, SolverNeedsTypeUpgrade,
                                      UpgradeSolverAsNeeded, WriteProtoToTextFile);
}

const char* const kUsage =
    "Brings a solver in text form (prototxt), of any age, to the form of Caffe 1.0.\n"
    "usage: upgrade_solver_proto_text INPUT OUTPUT";

}  // namespace
}  // namespace caffe::tools

int main(int argc, char** argv) {
  return caffe::ToolMain(argc, argv, "upgrade_solver_proto_text", caffe::tools::kUsage, caffe::tools::Run);
}
