// The loop around the network: which nets are made, when tests, displays, snapshots and callbacks happen, and how a run
// ends.
#include "caffe/solver.hpp"

#include <fstream>

#include "caffe/util/signal_handler.h"
#include "caffe/util/upgrade_proto.hpp"
#include "tests/support/log_capture.hpp"
#include "tests/support/solver_problem.hpp"
#include "tests/support/temporary_directory.hpp"

namespace rxnn::testing {
namespace {

const char kFixed[] = " base_lr: 0.1 lr_policy: 'fixed' snapshot_after_train: false ";

// A net whose layers depend on phase, level and stage.
const char kStagedNet[] = R"(
  name: "staged"
  layer { name: "data" type: "Input" top: "data" input_param { shape { dim: 2 dim: 3 } } }
  layer { name: "ip" type: "InnerProduct" bottom: "data" top: "ip"
          inner_product_param { num_output: 1 bias_filler { value: 4 } } }
  layer { name: "train" type: "Power" bottom: "ip" top: "train" include { phase: TRAIN } }
  layer { name: "test" type: "Power" bottom: "ip" top: "test" include { phase: TEST } }
  layer { name: "deep" type: "Power" bottom: "ip" top: "deep" include { min_level: 2 } }
  layer { name: "extra" type: "Power" bottom: "ip" top: "extra" include { stage: "extra" } }
)";

std::string WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path) << text;
  return path;
}

caffe::SolverParameter Parse(const std::string& text) {
  caffe::SolverParameter param;
  if (!google::protobuf::TextFormat::ParseFromString(text, &param)) throw std::invalid_argument(text);
  return param;
}

TEST(SolverNets, AreThoseOfTheFields) {
  const TemporaryDirectory folder;
  const std::string file = WriteFile(folder / "net.prototxt", kStagedNet);
  const std::string message = std::string("{ ") + kStagedNet + " }";
  for (const std::string& net : {"net: '" + file + "'", "net_param " + message}) {
    const caffe::SGDSolver<float> unused(Parse(net));
    caffe::SGDSolver<float> solver(Parse(net + " test_iter: 1 test_iter: 2 test_interval: 1 train_state { level: 2 }"
                                               " test_state { stage: 'extra' } test_state { }"));
    EXPECT_EQ(solver.net()->phase(), caffe::TRAIN);
    EXPECT_TRUE(solver.net()->has_layer("train") && solver.net()->has_layer("deep"));
    EXPECT_FALSE(solver.net()->has_layer("test") || solver.net()->has_layer("extra"));
    ASSERT_EQ(solver.test_nets().size(), 2u);
    for (const auto& test_net : solver.test_nets()) {
      EXPECT_EQ(test_net->phase(), caffe::TEST);
      EXPECT_TRUE(test_net->has_layer("test"));
      EXPECT_FALSE(test_net->has_layer("train") || test_net->has_layer("deep"));
    }
    EXPECT_TRUE(solver.test_nets()[0]->has_layer("extra"));
    EXPECT_FALSE(solver.test_nets()[1]->has_layer("extra"));
  }
  caffe::SGDSolver<float> special(Parse("train_net: '" + file + "' test_net: '" + file + "' test_net_param " + message +
                                        " test_iter: 1 test_iter: 1 test_interval: 1"));
  EXPECT_EQ(special.test_nets().size(), 2u);
  caffe::SGDSolver<float> both(
      Parse("net: '" + file + "' test_net: '" + file + "' test_iter: 1 test_iter: 1 test_interval: 1"));
  EXPECT_EQ(both.test_nets().size(), 2u);
}

TEST(SolverNets, WrongFieldsAreRefused) {
  const std::string net = std::string("net_param { ") + kStagedNet + " } ";
  const auto fails = [](const std::string& text, const std::string& part) {
    ExpectError([&] { caffe::SGDSolver<float> solver(Parse(text)); }, part);
  };
  fails("", "must specify a train net using one of these fields: net, net_param, train_net, train_net_param");
  fails(net + "train_net: 'x'", "must not contain more than one");
  fails("net: 'no.prototxt'", "File not found: no.prototxt");
  fails(net + "test_iter: 1", "test_interval must be above 0");
  fails(net + "test_iter: 0 test_interval: 1", "test_iter is 0");
  fails(net + "test_net_param { } test_interval: 1", "test_iter must be given for every test net");
  fails("train_" + net + "test_iter: 1 test_interval: 1", "test_iter must be given for every test net");
  fails(net + "test_iter: 1 test_interval: 1 test_state { } test_state { }", "test_state");
  fails(net + "average_loss: 0", "average_loss is 0");
  fails(net + "iter_size: 0", "iter_size is 0");
  fails(net + "snapshot: 1", "snapshot_prefix is not");
  fails(net + "snapshot: 1 snapshot_prefix: '/no/such/folder/x'",
        "Cannot write to snapshot prefix '/no/such/folder/x'");
}

TEST(SolverLoop, TestsAndDisplaysWhenDue) {
  const std::string net = SolverProblemNet() + "layer { name: 'a' type: 'Accuracy' bottom: 'ip3' bottom: 'label' " +
                          "top: 'accuracy' include { phase: TEST } }";
  const auto run = [&](const std::string& text) {
    const auto solver = MakeSolver<float>(kFixed + text, net);
    auto log = std::make_unique<LogCapture>();
    solver->Solve();
    return log;
  };
  const std::string every_two = "test_iter: 3 test_interval: 2 display: 2 max_iter: 4";
  const auto log = run(every_two);
  EXPECT_TRUE(log->Has("Solving problem"));
  EXPECT_TRUE(log->Has("Learning Rate Policy: fixed"));
  for (const char* i : {"0", "2", "4"}) EXPECT_TRUE(log->Has(std::string("Iteration ") + i + ", Testing net (#0)"));
  EXPECT_EQ(log->CountOf("Testing net (#0)"), 3);
  EXPECT_EQ(log->CountOf("    Test net output #0: accuracy = "), 3);
  EXPECT_EQ(log->CountOf("    Test net output #1: loss = "), 3);
  EXPECT_EQ(log->CountOf("    Train net output #0: loss = "), 2);
  EXPECT_EQ(log->CountOf("(* 1 = "), 5);
  EXPECT_EQ(log->CountOf(", lr = 0.1"), 2);
  EXPECT_EQ(log->CountOf("Iteration 4, loss = "), 1);
  EXPECT_TRUE(log->Has("Optimization Done."));
  EXPECT_EQ(log->CountOf("Test loss: "), 0);

  EXPECT_EQ(run(every_two + " test_initialization: false")->CountOf("Testing net (#0)"), 2);
  EXPECT_EQ(run(every_two + " test_compute_loss: true")->CountOf("Test loss: "), 3);
}

TEST(SolverLoop, FirstLineSpeaksOfOneIteration) {
  const auto solver = MakeSolver<float>(std::string(kFixed) + "display: 2");
  const LogCapture log;
  solver->Step(3);
  EXPECT_EQ(log.CountOf("s/1 iters), loss = "), 1);  // iteration 0
  EXPECT_EQ(log.CountOf("s/2 iters), loss = "), 1);  // iterations 1 and 2
}

TEST(SolverLoop, DisplaysTheMeanOfTheLastLosses) {
  const auto solver = MakeSolver<float>(std::string(kFixed) + "display: 1 average_loss: 3");
  std::vector<double> losses;
  SolverCallback<float> note([&] { losses.push_back(solver->net()->output_blobs()[0]->cpu_data()[0]); });
  solver->add_callback(&note);
  ASSERT_EQ(solver->callbacks().size(), 1u);
  const LogCapture log;
  solver->Step(6);
  std::vector<double> displayed;
  for (const std::string& message : log.messages()) {
    const size_t at = message.find("), loss = ");
    if (at != std::string::npos) displayed.push_back(std::stod(message.substr(at + 10)));
  }
  ASSERT_EQ(displayed.size(), 6u);
  for (int i = 0; i < 6; ++i) {
    const int first = std::max(0, i - 2);
    double mean = 0;
    for (int k = first; k <= i; ++k) mean += losses[k] / (i - first + 1);
    EXPECT_NEAR(displayed[i], mean, tolerance::kSixDigits * mean) << "iteration " << i;
  }
}

TEST(SolverLoop, CallbacksSurroundTheGradients) {
  const auto solver = MakeSolver<float>(kFixed);
  std::string calls;
  SolverCallback<float> note(
      [&] {
        calls += "g";
        for (const double g : Gradients(solver.get())) {
          if (g != 0) return;
        }
        ADD_FAILURE() << "no gradient is there";
      },
      [&] {
        calls += "s";
        for (const double g : Gradients(solver.get())) ASSERT_EQ(g, 0);
      });
  solver->add_callback(&note);
  solver->Step(3);
  EXPECT_EQ(calls, "sgsgsg");
}

TEST(SolverLoop, DebugInfoFollowsSignalsAndGradients) {
  const auto solver = MakeSolver<float>(std::string(kFixed) + "display: 2 debug_info: true");
  const LogCapture log;
  solver->Step(2);
  for (const char* part :
       {"[Forward] Input data data: ", "[Forward] Layer ip1, top blob ip1 data: ", "[Forward] Layer ip1, param blob 0",
        "[Backward] Layer loss, bottom blob ip3 diff: ", "[Backward] Layer ip1, param blob 1 diff: ",
        "[Backward] All net params (data, diff): L1 norm = (",
        "[Update] Layer ip1, param 0 data: ", "(owned by layer ip2, param shared) diff: "}) {
    EXPECT_EQ(log.CountOf(part), 1) << part;  // iteration 0 only
  }
}

TEST(SolverActions, StopAndSnapshotOnRequest) {
  const TemporaryDirectory folder;
  const std::string prefix = folder / "x";
  const auto solver =
      MakeSolver<float>("base_lr: 0.1 lr_policy: 'fixed' max_iter: 100 snapshot_prefix: '" + prefix + "'");
  int asked = 0;
  solver->SetActionFunction([&] {
    ++asked;
    return asked == 2   ? caffe::SolverAction::SNAPSHOT
           : asked == 5 ? caffe::SolverAction::STOP
                        : caffe::SolverAction::NONE;
  });
  const LogCapture log;
  solver->Solve();
  EXPECT_EQ(solver->iter(), 5);
  EXPECT_TRUE(log.Has("Optimization stopped early."));
  for (const char* name :
       {"x_iter_2.caffemodel", "x_iter_2.solverstate", "x_iter_5.caffemodel", "x_iter_5.solverstate"})
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 4) << "nothing half-written";
}

TEST(SolverActions, StopInterruptsATest) {
  const std::string prefix = std::string(kFixed) + "max_iter: 100 test_iter: 50 test_interval: 10";
  const auto solver = MakeSolver<float>(prefix);
  int asked = 0;
  solver->SetActionFunction([&] { return ++asked == 3 ? caffe::SolverAction::STOP : caffe::SolverAction::NONE; });
  const LogCapture log;
  solver->Solve();
  EXPECT_EQ(asked, 3);
  EXPECT_EQ(solver->iter(), 0);
  EXPECT_TRUE(log.Has("Test interrupted."));
  EXPECT_EQ(log.CountOf("Test net output"), 0);
  EXPECT_TRUE(log.Has("Optimization stopped early."));
}

TEST(SolverActions, SignalsBecomeActions) {
  {
    caffe::SignalHandler handler(caffe::SolverAction::STOP, caffe::SolverAction::SNAPSHOT);
    const caffe::ActionCallback action = handler.GetActionFunction();
    EXPECT_EQ(action(), caffe::SolverAction::NONE);
    raise(SIGINT);
    EXPECT_EQ(action(), caffe::SolverAction::STOP);
    EXPECT_EQ(action(), caffe::SolverAction::NONE);
    raise(SIGHUP);
    EXPECT_EQ(action(), caffe::SolverAction::SNAPSHOT);
    ExpectError([] { caffe::SignalHandler(caffe::SolverAction::NONE, caffe::SolverAction::NONE); }, "SignalHandler");
  }
  EXPECT_DEATH(raise(SIGHUP), "");  // as before
}

TEST(SolverSnapshots, AreMadeWhenDue) {
  for (const char* format : {"BINARYPROTO", "HDF5"}) {
    const TemporaryDirectory folder;
    const std::string end = std::string(format) == "HDF5" ? ".h5" : "";
    const std::string text = "base_lr: 0.1 lr_policy: 'fixed' max_iter: 5 snapshot: 2 snapshot_prefix: '" +
                             folder / "x" + "' snapshot_format: " + format;
    const auto solver = MakeSolver<float>(text);
    solver->Solve();
    for (const char* i : {"2", "4", "5"}) {
      EXPECT_TRUE(std::filesystem::exists(folder / ("x_iter_" + std::string(i) + ".caffemodel" + end)));
      EXPECT_TRUE(std::filesystem::exists(folder / ("x_iter_" + std::string(i) + ".solverstate" + end)));
    }
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 6);

    // The weights alone are what a net loads.
    const auto other = MakeSolver<float>(kFixed, SolverProblemNet(), /*seed=*/3);
    EXPECT_NE(Weights(other.get()), Weights(solver.get()));
    other->net()->CopyTrainedLayersFrom(folder / ("x_iter_5.caffemodel" + end));
    EXPECT_EQ(Weights(other.get()), Weights(solver.get()));

    // And what a solver starts from.
    const std::string weights = folder / ("x_iter_2.caffemodel" + end) + ", " + folder / ("x_iter_5.caffemodel" + end);
    const auto tuned = MakeSolver<float>(kFixed + ("weights: '" + weights + "'"), SolverProblemNet(), /*seed=*/3);
    EXPECT_EQ(Weights(tuned.get()), Weights(solver.get()));
    EXPECT_EQ(tuned->iter(), 0);
  }
}

TEST(SolverSnapshots, AtTheEndOnlyOnce) {
  const TemporaryDirectory folder;
  const std::string text =
      "base_lr: 0.1 lr_policy: 'fixed' max_iter: 4 snapshot: 4 snapshot_prefix: '" + folder / "x" + "'";
  const auto solver = MakeSolver<float>(text);
  const LogCapture log;
  solver->Solve();
  EXPECT_EQ(log.CountOf("Snapshotting to binary proto file "), 1);
  EXPECT_EQ(log.CountOf("Snapshotting solver state to binary proto file "), 1);
}

// Before the first iteration, and whatever its history adds. Nobody touches the parameters: they take no memory.
TEST(SolverSnapshots, ThatHaveNoRoomInTheirFormatAreRefusedBeforeWorkIsDone) {
  const TemporaryDirectory folder;
  const auto make = [&](std::int64_t values, const std::string& text) {
    const std::string net =
        "layer { name: 'w' type: 'Parameter' top: 'w' parameter_param { shape { dim: " + std::to_string(values) +
        " } } } layer { name: 'end' type: 'Silence' bottom: 'w' }";
    const std::string all = "base_lr: 0.1 lr_policy: 'fixed' max_iter: 1 snapshot_prefix: '" + folder / "x" + "' ";
    return std::unique_ptr<caffe::Solver<float>>(
        caffe::SolverRegistry<float>::CreateSolver(SolverText(all + text, net)));
  };
  const std::string end = ", more than a protobuf file holds (2 GiB): set snapshot_format: HDF5 in the solver";
  const std::string model = "The .caffemodel of a snapshot would have 2400000000 bytes" + end;
  ExpectError([&] { make(600000000, "snapshot: 5")->Step(1); }, model);
  ExpectError([&] { make(600000000, "snapshot: 5 snapshot_after_train: false")->Solve(); }, model);
  ExpectError([&] { make(600000000, "")->Solve(); }, model);
  ExpectError([&] { make(600000000, "")->Snapshot(); }, model);
  ExpectError([&] { make(300000000, "snapshot_diff: true")->Snapshot(); }, model);
  ExpectError([&] { make(300000000, "type: 'Adam'")->Snapshot(); },
              "The .solverstate of a snapshot would have 2400000000 bytes" + end);
  make(300000000, "")->CheckSnapshotSize();
  make(600000000, "snapshot_format: HDF5")->CheckSnapshotSize();
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(SolverSnapshots, ThatCannotBeWrittenAreRefusedBeforeWorkIsDone) {
  const std::string text = "base_lr: 0.1 lr_policy: 'fixed' max_iter: 5 snapshot_prefix: '/no/such/folder/x' ";
  const std::string message = "Cannot write to snapshot prefix '/no/such/folder/x' (No such file or directory)";
  ExpectError([&] { MakeSolver<float>(text + "snapshot: 2"); }, message);
  const auto at_the_end = MakeSolver<float>(text);
  ExpectError([&] { at_the_end->Solve(); }, message);
  EXPECT_EQ(at_the_end->iter(), 0);
  const auto never = MakeSolver<float>(text + "snapshot_after_train: false");
  never->Solve();
  EXPECT_EQ(never->iter(), 5);
}

TEST(SolverSnapshots, DiffsGoAlongWhenAskedFor) {
  const TemporaryDirectory folder;
  const auto solver =
      MakeSolver<float>("base_lr: 0.1 lr_policy: 'fixed' snapshot_diff: true snapshot_prefix: '" + folder / "x" + "'");
  solver->Step(1);
  solver->Snapshot();
  caffe::NetParameter net;
  caffe::ReadProtoFromBinaryFileOrDie(folder / "x_iter_1.caffemodel", &net);
  for (const caffe::LayerParameter& layer : net.layer()) {
    for (const caffe::BlobProto& blob : layer.blobs()) EXPECT_EQ(blob.diff_size(), blob.data_size());
  }
}

TEST(SolverFiles, OldOnesAreUpgraded) {
  const TemporaryDirectory folder;
  WriteFile(folder / "net.prototxt", SolverProblemNet());
  const std::string net = "net: '" + folder / "net.prototxt" + "' ";
  const auto read = [&](const std::string& text) {
    caffe::SolverParameter param;
    caffe::ReadSolverParamsFromTextFileOrDie(WriteFile(folder / "solver.prototxt", text), &param);
    return param;
  };
  EXPECT_EQ(read("solver_type: ADADELTA").type(), "AdaDelta");
  EXPECT_FALSE(read("solver_type: ADADELTA").has_solver_type());
  EXPECT_EQ(read("").type(), "SGD");
  ExpectError([&] { read("solver_type: ADAM type: 'Adam'"); }, "solver.prototxt: a solver has both");

  EXPECT_EQ(read("").snapshot_prefix(), folder / "solver");
  EXPECT_EQ(read("snapshot_prefix: '" + folder.path().string() + "'").snapshot_prefix(), folder / "solver");
  EXPECT_EQ(read("snapshot_prefix: 'a/b'").snapshot_prefix(), "a/b");

  WriteFile(folder / "solver.prototxt", net + "solver_type: NESTEROV");
  caffe::NesterovSolver<double> solver(folder / "solver.prototxt");
  EXPECT_EQ(solver.param().type(), "Nesterov");
}

}  // namespace
}  // namespace rxnn::testing
