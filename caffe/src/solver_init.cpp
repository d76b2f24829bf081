// How a Solver is built: its parameters checked, its training net and its test nets made.
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "caffe/solver.hpp"
#include "caffe/util/upgrade_proto.hpp"

namespace caffe {
namespace {

// A network as a solver file may give it, and how the log calls it.
struct NetSource {
  NetParameter param;
  string name;
};

NetSource FromMessage(const NetParameter& param, const string& name) { return {param, name}; }

NetSource FromFile(const string& file, const string& name) {
  NetSource source;
  ReadNetParamsFromTextFileOrDie(file, &source.param);
  source.name = name + ": " + file;
  return source;
}

// What the net file says of the state holds where the solver says nothing.
template <typename Dtype>
shared_ptr<Net<Dtype>> MakeNet(NetSource source, Phase phase, const NetState* of_solver) {
  NetState state;
  state.set_phase(phase);
  state.MergeFrom(source.param.state());
  if (of_solver != nullptr) state.MergeFrom(*of_solver);
  *source.param.mutable_state() = state;
  return std::make_shared<Net<Dtype>>(source.param);
}

void CheckParameters(const SolverParameter& param) {
  CAFFE_REQUIRE(param.average_loss() >= 1) << "average_loss is " << param.average_loss() << "; at least 1 is needed";
  CAFFE_REQUIRE(param.iter_size() >= 1) << "iter_size is " << param.iter_size() << "; at least 1 is needed";
  for (const int iterations : param.test_iter()) {
    CAFFE_REQUIRE(iterations >= 1) << "test_iter is " << iterations << "; at least 1 is needed";
  }
}

}  // namespace

template <typename Dtype>
Solver<Dtype>::Solver(const SolverParameter& param) {
  Init(param);
}

template <typename Dtype>
Solver<Dtype>::Solver(const string& param_file) {
  SolverParameter param;
  ReadSolverParamsFromTextFileOrDie(param_file, &param);
  Init(param);
}

template <typename Dtype>
void Solver<Dtype>::Init(const SolverParameter& param) {
  LOG_IF(INFO, Caffe::root_solver()) << "Initializing solver from parameters: \n" << param.DebugString();
  param_ = param;
  CheckParameters(param_);
  CheckSnapshotWritePermissions();
  if (param_.random_seed() >= 0) {
    Caffe::set_random_seed(static_cast<unsigned int>(param_.random_seed() + Caffe::solver_rank()));
  }
  InitTrainNet();
  InitTestNets();
  LOG_IF(INFO, Caffe::root_solver()) << "Solver scaffolding done.";
  iter_ = 0;
  current_step_ = 0;
}

template <typename Dtype>
void Solver<Dtype>::CheckSnapshotWritePermissions() {
  if (param_.snapshot() <= 0) return;
  CAFFE_REQUIRE(param_.has_snapshot_prefix()) << "In solver params, snapshot is specified but snapshot_prefix is not";
  RequireWritablePrefix();
}

template <typename Dtype>
void Solver<Dtype>::RequireWritablePrefix() {
  const string probe = SnapshotFilename(".tempfile");
  const bool writable = std::ofstream(probe).good();
  const string reason = std::strerror(errno);
  std::remove(probe.c_str());
  CAFFE_REQUIRE(writable) << "Cannot write to snapshot prefix '" << param_.snapshot_prefix() << "' (" << reason
                          << "): make sure that the directory exists and is writeable";
}

template <typename Dtype>
void Solver<Dtype>::InitTrainNet() {
  const int given = param_.has_net() + param_.has_net_param() + param_.has_train_net() + param_.has_train_net_param();
  CAFFE_REQUIRE(given >= 1) << "SolverParameter must specify a train net using one of these fields: net, net_param, "
                            << "train_net, train_net_param";
  CAFFE_REQUIRE(given <= 1) << "SolverParameter must not contain more than one of these fields specifying a train net: "
                            << "net, net_param, train_net, train_net_param";
  NetSource source;
  if (param_.has_train_net_param()) {
    source = FromMessage(param_.train_net_param(), "specified by train_net_param");
  } else if (param_.has_train_net()) {
    source = FromFile(param_.train_net(), "from train_net file");
  } else if (param_.has_net_param()) {
    source = FromMessage(param_.net_param(), "specified by net_param");
  } else {
    source = FromFile(param_.net(), "from net file");
  }
  LOG_IF(INFO, Caffe::root_solver()) << "Creating training net " << source.name;
  net_ = MakeNet<Dtype>(std::move(source), TRAIN, param_.has_train_state() ? &param_.train_state() : nullptr);
  for (const string& list : param_.weights()) {
    stringstream files(list);
    string file;
    while (std::getline(files >> std::ws, file, ',')) {
      LOG_IF(INFO, Caffe::root_solver()) << "Finetuning from " << file;
      net_->CopyTrainedLayersFrom(file);
    }
  }
}

template <typename Dtype>
void Solver<Dtype>::InitTestNets() {
  CAFFE_REQUIRE(!param_.has_net_param() || !param_.has_net()) << "both net_param and net are specified; give one";
  const int special = param_.test_net_param_size() + param_.test_net_size();
  const bool general = param_.has_net_param() || param_.has_net();
  // test_iter says how many test nets there are: first those of test_net_param, then those of test_net, then the
  // general net, once for every further test_iter.
  const int instances = param_.test_iter_size();
  CAFFE_REQUIRE(general ? instances >= special : instances == special)
      << "test_iter must be given for every test net: there are " << special << " test nets"
      << (general ? " beside net" : "") << " and " << instances << " test_iter";
  CAFFE_REQUIRE(param_.test_state_size() == 0 || param_.test_state_size() == instances)
      << "test_state must be given for none or for every test net: there are " << param_.test_state_size()
      << " test_state for " << instances << " test nets";
  CAFFE_REQUIRE(instances == 0 || param_.test_interval() > 0)
      << "test_interval must be above 0 where there are test nets, it is " << param_.test_interval();

  vector<NetSource> sources;
  for (const NetParameter& net : param_.test_net_param()) sources.push_back(FromMessage(net, "test_net_param"));
  for (const string& file : param_.test_net()) sources.push_back(FromFile(file, "test_net file"));
  while (static_cast<int>(sources.size()) < instances) {
    sources.push_back(param_.has_net_param() ? FromMessage(param_.net_param(), "net_param")
                                             : FromFile(param_.net(), "net file"));
  }
  test_nets_.clear();
  for (int i = 0; i < instances; ++i) {
    LOG_IF(INFO, Caffe::root_solver()) << "Creating test net (#" << i << ") specified by " << sources[i].name;
    test_nets_.push_back(
        MakeNet<Dtype>(std::move(sources[i]), TEST, param_.test_state_size() > 0 ? &param_.test_state(i) : nullptr));
    test_nets_.back()->set_debug_info(param_.debug_info());
  }
}

// The other members are instantiated in solver.cpp.
#define INSTANTIATE_SOLVER_INIT(Dtype)                          \
  template Solver<Dtype>::Solver(const SolverParameter&);       \
  template Solver<Dtype>::Solver(const string&);                \
  template void Solver<Dtype>::Init(const SolverParameter&);    \
  template void Solver<Dtype>::CheckSnapshotWritePermissions(); \
  template void Solver<Dtype>::RequireWritablePrefix();         \
  template void Solver<Dtype>::InitTrainNet();                  \
  template void Solver<Dtype>::InitTestNets()
INSTANTIATE_SOLVER_INIT(float);
INSTANTIATE_SOLVER_INIT(double);

}  // namespace caffe
