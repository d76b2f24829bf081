#include "caffe/solver_factory.hpp"

#include "caffe/solver.hpp"

namespace caffe {

template <typename Dtype>
typename SolverRegistry<Dtype>::CreatorRegistry& SolverRegistry<Dtype>::Registry() {
  static CreatorRegistry registry;
  return registry;
}

template <typename Dtype>
void SolverRegistry<Dtype>::AddCreator(const string& type, Creator creator) {
  CAFFE_REQUIRE(Registry().emplace(type, creator).second) << "solver type " << type << " is registered twice";
}

template <typename Dtype>
Solver<Dtype>* SolverRegistry<Dtype>::CreateSolver(const SolverParameter& param) {
  const auto found = Registry().find(param.type());
  if (found == Registry().end()) {
    string known;
    for (const string& type : SolverTypeList()) known += (known.empty() ? "" : ", ") + type;
    throw Error("Unknown solver type: " + param.type() + " (known types: " + known + ")");
  }
  return found->second(param);
}

template <typename Dtype>
vector<string> SolverRegistry<Dtype>::SolverTypeList() {
  vector<string> types;
  for (const auto& entry : Registry()) types.push_back(entry.first);
  return types;
}

INSTANTIATE_CLASS(SolverRegistry);

}  // namespace caffe
