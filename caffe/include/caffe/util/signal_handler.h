// Signals of the process as wishes to a solver.
#pragma once

#include "caffe/solver.hpp"

namespace caffe {

// While one lives, SIGINT and SIGHUP no longer end the process: they become the given actions, each once per signal.
// Throws Error if another one lives.
class SignalHandler {
 public:
  SignalHandler(SolverAction::Enum sigint_action, SolverAction::Enum sighup_action);
  ~SignalHandler();
  // For Solver::SetActionFunction; valid as long as this object.
  ActionCallback GetActionFunction();

 private:
  SolverAction::Enum CheckForSignals() const;

  SolverAction::Enum sigint_action_;
  SolverAction::Enum sighup_action_;

  DISABLE_COPY_AND_ASSIGN(SignalHandler);
};

}  // namespace caffe
