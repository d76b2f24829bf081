// What the engine asks of a GPU: memory, copies, devices and sums over blobs. The part of the engine that is compiled
// with CUDA (caffe/src/gpu) says how; a build without it has none.
#pragma once

#include <cstddef>
#include <string>

#include "caffe/common.hpp"

namespace caffe {

class GpuRuntime {
 public:
  virtual ~GpuRuntime() = default;

  // The one of this process; null in a build without CUDA.
  static GpuRuntime* Get();
  // The same; throws Error where there is none.
  static GpuRuntime& Require();
  static void Set(GpuRuntime* runtime);

  // On the current device of this thread, not cleared.
  virtual void* Allocate(size_t bytes) = 0;
  virtual void Free(void* memory) noexcept = 0;
  // Memory of the host that copies to and from devices need not move first.
  virtual void* AllocatePinned(size_t bytes) = 0;
  virtual void FreePinned(void* memory) noexcept = 0;
  virtual void SetZero(void* device, size_t bytes) = 0;
  // These wait for the work before them and are done when they return.
  virtual void ToDevice(void* device, const void* host, size_t bytes) = 0;
  virtual void ToHost(void* host, const void* device, size_t bytes) = 0;
  // This is done when `stream` is, a cudaStream_t; null: that of this thread for copies beside the work of others.
  virtual void ToDeviceBeside(void* device, const void* host, size_t bytes, void* stream) = 0;
  // From one device to another, after the work that was started on both and before what is started later.
  virtual void BetweenDevices(void* to, int to_device, const void* from, int from_device, size_t bytes) = 0;
  // Waits for this thread's stream of copies.
  virtual void WaitForCopies() = 0;
  // Waits for all work on the current device.
  virtual void Synchronize() = 0;

  // 0 where no device can be used.
  virtual int CountDevices() = 0;
  virtual int Device() = 0;
  virtual void SetDevice(int device) = 0;
  // Whether this thread can work on the device.
  virtual bool CanUse(int device) = 0;
  // Copies between the current device and `other` go by the shortest way from now on, where there is one that leaves
  // out the host.
  virtual void ConnectTo(int other) = 0;
  // Lines of text about the current device.
  virtual string Description() = 0;

  // y += a x;  x *= a;  x = a;  sum of |x|;  x . y. Memory of the device.
  virtual void Axpy(int n, float a, const float* x, float* y) = 0;
  virtual void Axpy(int n, double a, const double* x, double* y) = 0;
  virtual void Scale(int n, float a, float* x) = 0;
  virtual void Scale(int n, double a, double* x) = 0;
  virtual float SumOfMagnitudes(int n, const float* x) = 0;
  virtual double SumOfMagnitudes(int n, const double* x) = 0;
  virtual float Dot(int n, const float* x, const float* y) = 0;
  virtual double Dot(int n, const double* x, const double* y) = 0;
  virtual void Copy(void* to, const void* from, size_t bytes) = 0;
};

// GPU mode on this device, for this thread; throws Error where it cannot be used.
void UseGpu(int device);
// GPU mode on the first of them; throws Error where one is named twice or cannot be used.
void UseGpus(const vector<int>& devices);

}  // namespace caffe
