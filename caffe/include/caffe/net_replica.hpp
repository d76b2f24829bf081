// One net on several GPUs: the layers that read data run once, in the original; copies of the rest of it, each on a GPU
// and in a thread of its own, compute on the batches that they are given. So batches are those of one GPU, whatever
// brings the data, in the order and with the random crops of one GPU.
#pragma once

#include <condition_variable>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "caffe/net.hpp"

namespace caffe {

// Runs works, one after the other, in a thread of its own in GPU mode.
class GpuThread {
 public:
  // The thread works on this GPU, as solver `rank` of `count`, with random numbers from `seed` on.
  GpuThread(int device, int rank, int count, unsigned seed);
  // Waits for the work that was started.
  ~GpuThread();

  // Waits for the work before, and starts this.
  void Start(std::function<void()> work);
  // Until the work is done; throws what it threw.
  void Wait();
  void Run(std::function<void()> work) {
    Start(std::move(work));
    Wait();
  }

 private:
  void Loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> work_;  // empty: none
  std::exception_ptr failure_;  // of the last work
  bool stop_ = false;
  std::thread thread_;

  DISABLE_COPY_AND_ASSIGN(GpuThread);
};

// What follows is called in the thread of the original, which is in GPU mode.
template <typename Dtype>
class NetReplica {
 public:
  // A net like `original`, with weights of its own: fillers' until TakeWeights or somebody else gives others.
  NetReplica(Net<Dtype>* original, int device, int rank, int count, unsigned seed);

  GpuThread& thread() { return thread_; }
  // To be used in the thread's works, and between them.
  Net<Dtype>& net() { return *net_; }

  // Copies the parameters of the original.
  void TakeWeights();
  // Reads the original's next batch and copies it, when the work before is done. Errors are those of its layers.
  void TakeBatch();

 private:
  // The original's blobs come to the host in its own thread.
  struct Values {
    Blob<Dtype>* to;
    const Blob<Dtype>* from;
    const Dtype* on_host;
  };
  void Copy(const vector<Values>& all);

  Net<Dtype>* original_;
  shared_ptr<Net<Dtype>> net_;
  GpuThread thread_;  // ends before the net

  DISABLE_COPY_AND_ASSIGN(NetReplica);
};

// A net's layer that has neither bottoms nor parameters: it brings data.
template <typename Dtype>
bool IsSource(const Net<Dtype>& net, int layer);

}  // namespace caffe
