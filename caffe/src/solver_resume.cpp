// What a resumed run needs beside weights and history.
#include "caffe/solver.hpp"
#include "caffe/util/in_layer.hpp"
#include "caffe/util/resumable.hpp"

namespace caffe {
namespace {

constexpr int kTrainNet = -1;

template <typename Dtype>
void SaveSources(const Net<Dtype>& net, int net_id, ResumeState* state) {
  for (const auto& layer : net.layers()) {
    const auto* source = dynamic_cast<const Resumable*>(layer.get());
    if (source == nullptr) continue;
    SourceState* saved = state->add_source();
    saved->set_net(net_id);
    saved->set_layer(layer->layer_param().name());
    saved->set_state(source->SaveState());
  }
}

}  // namespace

template <typename Dtype>
ResumeState Solver<Dtype>::CollectResumeState() {
  ResumeState state;
  ostringstream random;
  random << Caffe::rng();
  state.set_random_state(random.str());
  SaveSources(*net_, kTrainNet, &state);
  for (size_t i = 0; i < test_nets_.size(); ++i) SaveSources(*test_nets_[i], static_cast<int>(i), &state);
  return state;
}

template <typename Dtype>
void Solver<Dtype>::ApplyResumeState(const ResumeState& state) {
  // A source that the net no longer has, or another test net: the run goes on with what there is.
  for (const SourceState& saved : state.source()) {
    if (saved.net() >= static_cast<int>(test_nets_.size())) continue;
    const Net<Dtype>& net = saved.net() == kTrainNet ? *net_ : *test_nets_[saved.net()];
    if (!net.has_layer(saved.layer())) continue;
    const auto layer = net.layer_by_name(saved.layer());
    auto* source = dynamic_cast<Resumable*>(layer.get());
    if (source != nullptr) InLayer(layer->layer_param(), [&] { source->RestoreState(saved.state()); });
  }
  if (!state.has_random_state()) return;
  std::istringstream random(state.random_state());
  random >> Caffe::rng();
  CAFFE_REQUIRE(random) << "the random state of the snapshot is damaged";
}

#define INSTANTIATE_SOLVER_RESUME(Dtype)                    \
  template ResumeState Solver<Dtype>::CollectResumeState(); \
  template void Solver<Dtype>::ApplyResumeState(const ResumeState&)
INSTANTIATE_SOLVER_RESUME(float);
INSTANTIATE_SOLVER_RESUME(double);

}  // namespace caffe
