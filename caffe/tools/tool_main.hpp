// How every tool starts and ends: flags and logging first, and for an error one message and exit code 1.
#pragma once

#include <google/protobuf/stubs/logging.h>

#include <algorithm>
#include <exception>
#include <iostream>
#include <new>
#include <string>
#include <vector>

#include "caffe/common.hpp"

namespace caffe {

// The message comes last on stderr, as plain text; the log file has it as well.
inline void ReportError(const char* tool, const string& message) {
  const bool has_log_file = google::IsGoogleLoggingInitialized() && !FLAGS_logtostderr;
  if (has_log_file) {
    FLAGS_alsologtostderr = false;
    FLAGS_stderrthreshold = google::GLOG_FATAL;
    LOG(ERROR) << message;
  }
  google::FlushLogFiles(google::GLOG_INFO);
  std::cerr << tool << ": error: " << message << std::endl;
}

// The usage, and the flags of the tool's own source file: not those of the libraries in it.
inline void ShowUsage() {
  std::cout << gflags::ProgramUsage() << "\n";
  std::vector<gflags::CommandLineFlagInfo> flags;
  gflags::GetAllFlags(&flags);
  for (const gflags::CommandLineFlagInfo& flag : flags) {
    if (flag.filename.find("caffe/tools/") != string::npos) std::cout << "\n" << gflags::DescribeOneFlag(flag);
  }
  std::cout << std::flush;
}

// Whether the command line asks for it.
inline bool AsksForUsage(int argc, char** argv) {
  return std::any_of(argv + 1, argv + argc, [](const char* argument) {
    const string text = argument;
    return text == "-h" || text == "-help" || text == "--help";
  });
}

// Parses the flags, starts logging to stderr and log files, and runs `run(argc, argv)` on what is left of the command
// line (argv[0] included). Returns what it returns, or 1 when it throws.
inline int ToolMain(int argc, char** argv, const char* tool, const string& usage, int (*run)(int, char**)) {
  FLAGS_alsologtostderr = true;
  gflags::SetVersionString(kCaffeVersion);
  gflags::SetUsageMessage(usage);
  // Its complaints reach the user in our messages.
  google::protobuf::SetLogHandler(nullptr);
  if (AsksForUsage(argc, argv)) return ShowUsage(), 0;
  try {
    GlobalInit(&argc, &argv);
    return run(argc, argv);
  } catch (const std::bad_alloc&) {
    ReportError(tool, "out of memory");
  } catch (const std::exception& error) {
    ReportError(tool, error.what());
  }
  return 1;
}

}  // namespace caffe
