#include <memory>

#include "actions.hpp"
#include "caffe/parallel.hpp"
#include "caffe/util/gpu_runtime.hpp"
#include "caffe/util/io.hpp"
#include "caffe/util/signal_handler.h"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe::tools {
namespace {

SolverAction::Enum SignalEffect(const char* flag, const string& effect) {
  static const map<string, SolverAction::Enum> effects = {
      {"stop", SolverAction::STOP}, {"snapshot", SolverAction::SNAPSHOT}, {"none", SolverAction::NONE}};
  const auto found = effects.find(effect);
  CAFFE_REQUIRE(found != effects.end()) << "Invalid signal effect \"" << effect << "\" in --" << flag
                                        << ": it must be stop, snapshot or none";
  return found->second;
}

}  // namespace

void Train(const TrainOptions& options) {
  CAFFE_REQUIRE(!options.solver.empty()) << "Need a solver definition to train: give --solver=FILE.prototxt";
  CAFFE_REQUIRE(options.snapshot.empty() || options.weights.empty())
      << "Give a --snapshot to resume training or --weights to fine-tune, not both";
  const SolverAction::Enum on_sigint = SignalEffect("sigint_effect", options.sigint_effect);
  const SolverAction::Enum on_sighup = SignalEffect("sighup_effect", options.sighup_effect);
  // Before the nets are built, which may take long.
  if (!options.snapshot.empty()) RequireFile(options.snapshot);

  SolverParameter param;
  ReadSolverParamsFromTextFileOrDie(options.solver, &param);
  param.mutable_train_state()->set_level(options.level);
  for (const string& stage : options.stages) param.mutable_train_state()->add_stage(stage);
  if (!options.snapshot.empty() || !options.weights.empty()) param.clear_weights();
  for (const string& file : options.weights) {
    RequireFile(file);
    param.add_weights(file);
  }
  if (param.has_solver_mode() && param.solver_mode() == SolverParameter::GPU && Caffe::mode() == Caffe::CPU) {
    if (GpuRuntime::Get() != nullptr) {
      UseGpu(param.device_id());
    } else {
      LOG(WARNING) << options.solver << " asks for solver_mode GPU; this build trains on the CPU";
    }
  }

  SignalHandler signals(on_sigint, on_sighup);
  const std::unique_ptr<Solver<float>> solver(SolverRegistry<float>::CreateSolver(param));
  solver->SetActionFunction(signals.GetActionFunction());
  if (!options.snapshot.empty()) {
    LOG(INFO) << "Resuming from " << options.snapshot;
    solver->Resume(options.snapshot.c_str());
  }
  std::unique_ptr<DataParallel<float>> parallel;
  if (options.gpus.size() > 1) parallel = std::make_unique<DataParallel<float>>(solver.get(), options.gpus);
  LOG(INFO) << "Starting Optimization";
  solver->Solve();
  LOG(INFO) << "Optimization Done.";
}

}  // namespace caffe::tools
