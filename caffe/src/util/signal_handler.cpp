#include "caffe/util/signal_handler.h"

#include <csignal>

namespace caffe {
namespace {

volatile std::sig_atomic_t got_sigint = 0;
volatile std::sig_atomic_t got_sighup = 0;
bool installed = false;
struct sigaction previous_sigint, previous_sighup;

void OnSignal(int signal) {
  if (signal == SIGINT) got_sigint = 1;
  if (signal == SIGHUP) got_sighup = 1;
}

bool Take(volatile std::sig_atomic_t* flag) {
  const bool was_set = *flag != 0;
  *flag = 0;
  return was_set;
}

}  // namespace

SignalHandler::SignalHandler(SolverAction::Enum sigint_action, SolverAction::Enum sighup_action)
    : sigint_action_(sigint_action), sighup_action_(sighup_action) {
  CAFFE_REQUIRE(!installed) << "the process has a SignalHandler already";
  struct sigaction action = {};
  action.sa_handler = OnSignal;
  action.sa_flags = SA_RESTART;  // reading data goes on
  sigfillset(&action.sa_mask);
  CHECK_EQ(sigaction(SIGHUP, &action, &previous_sighup), 0);
  CHECK_EQ(sigaction(SIGINT, &action, &previous_sigint), 0);
  got_sigint = got_sighup = 0;
  installed = true;
}

SignalHandler::~SignalHandler() {
  sigaction(SIGHUP, &previous_sighup, nullptr);
  sigaction(SIGINT, &previous_sigint, nullptr);
  installed = false;
}

ActionCallback SignalHandler::GetActionFunction() {
  return [this] { return CheckForSignals(); };
}

SolverAction::Enum SignalHandler::CheckForSignals() const {
  if (Take(&got_sighup)) return sighup_action_;
  if (Take(&got_sigint)) return sigint_action_;
  return SolverAction::NONE;
}

}  // namespace caffe
