// The `caffe` command: flags, and which action they go to.
#include "actions/actions.hpp"
#include "caffe/util/corrupt_records.hpp"
#include "tool_main.hpp"

DEFINE_string(
    gpu, "",
    "The GPUs to use: ids, separated by commas, or 'all'. test shares the batches out among them, train forms the "
    "gradients of a batch on each, time takes one. Empty: the CPU.");
DEFINE_string(solver, "", "train: the solver definition (prototxt).");
DEFINE_string(snapshot, "", "train: the snapshot to go on from (.solverstate or .solverstate.h5).");
DEFINE_string(sigint_effect, "stop", "train: what SIGINT (Ctrl-C) does: stop, snapshot or none.");
DEFINE_string(sighup_effect, "snapshot", "train: what SIGHUP does: stop, snapshot or none.");
DEFINE_string(model, "", "test, time: the network (prototxt).");
DEFINE_string(phase, "", "time: TRAIN or TEST. Empty: TRAIN.");
DEFINE_int32(level, 0, "Level of the network, for include and exclude rules.");
DEFINE_string(stage, "", "Stages of the network, separated by commas, for include and exclude rules.");
DEFINE_string(
    weights, "",
    "test, time: trained weights (.caffemodel or .h5); time takes filled ones without. train: weights to start "
    "from, several separated by commas.");
DEFINE_int32(iterations, 50, "test, time: batches to run.");
DEFINE_bool(skip_corrupt, false,
            "Pass over records, images and HDF5 files that cannot be read, and count them, instead of stopping.");

namespace caffe::tools {
namespace {

// A list as written between commas; an empty text is a list of one empty element, as it always was.
vector<string> SplitList(const string& text) {
  vector<string> parts(1);
  for (const char c : text) {
    if (c == ',')
      parts.emplace_back();
    else
      parts.back() += c;
  }
  return parts;
}

NetOptions NetFlags() { return {FLAGS_model, FLAGS_level, SplitList(FLAGS_stage)}; }

Phase PhaseFlag(Phase fallback) {
  if (FLAGS_phase.empty()) return fallback;
  CAFFE_REQUIRE(FLAGS_phase == "TRAIN" || FLAGS_phase == "TEST")
      << "phase must be \"TRAIN\" or \"TEST\", not \"" << FLAGS_phase << "\"";
  return FLAGS_phase == "TRAIN" ? TRAIN : TEST;
}

void RunTrain() {
  const vector<int> gpus = UseDevices(FLAGS_gpu);
  const vector<string> weights = FLAGS_weights.empty() ? vector<string>() : SplitList(FLAGS_weights);
  Train({FLAGS_solver, FLAGS_level, SplitList(FLAGS_stage), FLAGS_snapshot, weights, FLAGS_sigint_effect,
         FLAGS_sighup_effect, gpus});
}

void RunTest() {
  const vector<int> gpus = UseDevices(FLAGS_gpu);
  Test({NetFlags(), FLAGS_weights, FLAGS_iterations, gpus});
}

void RunTime() {
  const Phase phase = PhaseFlag(TRAIN);
  UseDevice(FLAGS_gpu);
  Time({NetFlags(), phase, FLAGS_weights, FLAGS_iterations});
}

void RunDeviceQuery() { DeviceQuery(FLAGS_gpu); }

const map<string, void (*)()>& Actions() {
  static const map<string, void (*)()> actions = {
      {"device_query", RunDeviceQuery},
      {"test", RunTest},
      {"time", RunTime},
      {"train", RunTrain},
  };
  return actions;
}

int Run(int argc, char** argv) {
  if (argc < 2) {
    ShowUsage();
    return 0;
  }
  CAFFE_REQUIRE(argc == 2) << "takes one action, got " << argc - 1 << ": " << argv[1] << ", " << argv[2]
                           << (argc > 3 ? ", .." : "") << "; flags begin with --";
  const auto action = Actions().find(argv[1]);
  if (action == Actions().end()) {
    string known;
    for (const auto& entry : Actions()) known += (known.empty() ? "" : ", ") + entry.first;
    throw Error(string("Unknown action: ") + argv[1] + " (known actions: " + known + ")");
  }
  CorruptRecords::set_skip(FLAGS_skip_corrupt);
  action->second();
  return 0;
}

const char* const kUsage =
    "Trains and runs neural networks.\n"
    "usage: caffe ACTION --flags\n\n"
    "actions:\n"
    "  train         train a network: --solver [--weights | --snapshot]\n"
    "  test          score a network: --model, --weights [--iterations]\n"
    "  time          time every layer of a network: --model [--weights --phase --iterations]\n"
    "  device_query  say what there is to compute on";

}  // namespace
}  // namespace caffe::tools

int main(int argc, char** argv) {
  return caffe::ToolMain(argc, argv, "caffe", caffe::tools::kUsage, caffe::tools::Run);
}
