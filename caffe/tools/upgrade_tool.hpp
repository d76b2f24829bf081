// What the three programs that bring old files up to date have in common.
#pragma once

#include "caffe/util/io.hpp"
#include "caffe/util/upgrade_proto.hpp"
#include "tool_main.hpp"

namespace caffe::tools {

// Reads argv[1], upgrades it where needed, and writes argv[2]. Read and Write are those of caffe/util/io.hpp.
template <typename Message, typename Read, typename NeedsUpgrade, typename Upgrade, typename Write>
int UpgradeFile(int argc, char** argv, Read read, NeedsUpgrade needs_upgrade, Upgrade upgrade, Write write) {
  if (argc < 3) {
    ShowUsage();
    return 1;
  }
  CAFFE_REQUIRE(argc == 3) << "takes an input and an output file, got " << argc - 1 << " arguments";
  const string input = argv[1];
  const string output = argv[2];
  Message message;
  read(input, &message);
  if (needs_upgrade(message)) {
    upgrade(input, &message);
  } else {
    LOG(WARNING) << "File already in latest proto format: " << input;
  }
  write(message, output);
  LOG(INFO) << "Wrote upgraded " << message.GetDescriptor()->name() << " to " << output;
  return 0;
}

}  // namespace caffe::tools
