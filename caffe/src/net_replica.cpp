#include "caffe/net_replica.hpp"

#include <utility>

#include "caffe/util/gpu_runtime.hpp"

namespace caffe {
namespace {

// The layers of `net` as it runs them, without parameters; Input layers of the same shapes stand for its sources.
template <typename Dtype>
NetParameter DefinitionWithoutSources(const Net<Dtype>& net) {
  NetParameter param;
  param.set_name(net.name());
  param.mutable_state()->set_phase(net.phase());
  for (size_t i = 0; i < net.layers().size(); ++i) {
    LayerParameter* layer = param.add_layer();
    *layer = net.layers()[i]->layer_param();
    layer->clear_blobs();
    // They were met when the net was made.
    layer->clear_include();
    layer->clear_exclude();
    if (!IsSource(net, static_cast<int>(i))) continue;
    LayerParameter input;
    input.set_name(layer->name());
    input.set_type("Input");
    input.set_phase(layer->phase());
    *input.mutable_top() = layer->top();
    *input.mutable_loss_weight() = layer->loss_weight();
    for (const Blob<Dtype>* top : net.top_vecs()[i]) {
      BlobShape* shape = input.mutable_input_param()->add_shape();
      for (const int dim : top->shape()) shape->add_dim(dim);
    }
    *layer = input;
  }
  return param;
}

}  // namespace

GpuThread::GpuThread(int device, int rank, int count, unsigned seed) : thread_([this] { Loop(); }) {
  Start([=] {
    UseGpu(device);
    Caffe::set_solver_count(count);
    Caffe::set_solver_rank(rank);
    Caffe::set_random_seed(seed);
  });
}

GpuThread::~GpuThread() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void GpuThread::Start(std::function<void()> work) {
  Wait();
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    work_ = std::move(work);
  }
  changed_.notify_all();
}

void GpuThread::Wait() {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait(lock, [this] { return work_ == nullptr; });
  const std::exception_ptr failure = std::exchange(failure_, nullptr);
  if (failure != nullptr) std::rethrow_exception(failure);
}

void GpuThread::Loop() {
  std::unique_lock<std::mutex> lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return work_ != nullptr || stop_; });
    if (work_ == nullptr) return;
    lock.unlock();
    std::exception_ptr failure;
    try {
      work_();
    } catch (...) {
      failure = std::current_exception();
    }
    lock.lock();
    work_ = nullptr;
    failure_ = failure;
    changed_.notify_all();
  }
}

template <typename Dtype>
bool IsSource(const Net<Dtype>& net, int layer) {
  return net.bottom_vecs()[layer].empty() && net.layers()[layer]->blobs().empty();
}

template <typename Dtype>
NetReplica<Dtype>::NetReplica(Net<Dtype>* original, int device, int rank, int count, unsigned seed)
    : original_(original), thread_(device, rank, count, seed) {
  const NetParameter param = DefinitionWithoutSources(*original);
  thread_.Run([&] { net_ = std::make_shared<Net<Dtype>>(param); });
}

template <typename Dtype>
void NetReplica<Dtype>::Copy(const vector<Values>& all) {
  thread_.Run([&] {
    for (const Values& values : all) {
      values.to->ReshapeLike(*values.from);
      const size_t bytes = sizeof(Dtype) * values.from->count();
      if (bytes > 0) GpuRuntime::Require().ToDevice(values.to->mutable_gpu_data(), values.on_host, bytes);
    }
  });
}

template <typename Dtype>
void NetReplica<Dtype>::TakeWeights() {
  vector<Values> all;
  for (size_t i = 0; i < original_->params().size(); ++i) {
    if (original_->param_owners()[i] >= 0) continue;
    const Blob<Dtype>* from = original_->params()[i].get();
    all.push_back({net_->params()[i].get(), from, from->cpu_data()});
  }
  Copy(all);
}

template <typename Dtype>
void NetReplica<Dtype>::TakeBatch() {
  thread_.Wait();
  vector<Values> all;
  for (int i = 0; i < static_cast<int>(original_->layers().size()); ++i) {
    if (!IsSource(*original_, i)) continue;
    original_->ForwardFromTo(i, i);
    for (size_t j = 0; j < original_->top_vecs()[i].size(); ++j) {
      const Blob<Dtype>* from = original_->top_vecs()[i][j];
      all.push_back({net_->top_vecs()[i][j], from, from->cpu_data()});
    }
  }
  Copy(all);
}

#define INSTANTIATE_REPLICA(Dtype)                    \
  template bool IsSource(const Net<Dtype>& net, int); \
  template class NetReplica<Dtype>
INSTANTIATE_REPLICA(float);
INSTANTIATE_REPLICA(double);

}  // namespace caffe
