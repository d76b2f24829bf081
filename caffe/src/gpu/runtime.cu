// GpuRuntime by CUDA: what makes a build one with GPU support.
#include "on_gpu.cuh"

namespace caffe {
namespace {

// Of this thread, for copies beside the work of other threads.
cudaStream_t CopyStream() {
  thread_local cudaStream_t stream = nullptr;
  if (stream == nullptr) gpu::Check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "stream");
  return stream;
}

void* Allocated(cudaError_t error, void* memory, size_t bytes, const char* where) {
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // not to be found by the next launch
    throw Error("GPU: no room for " + std::to_string(bytes) + " bytes " + where);
  }
  gpu::Check(error, "memory");
  return memory;
}

template <typename Function>
int Ask(Function function, const char* what) {
  int answer = 0;
  gpu::Check(function(&answer), what);
  return answer;
}

class Cuda : public GpuRuntime {
 public:
  void* Allocate(size_t bytes) override {
    void* memory = nullptr;
    const cudaError_t error = cudaMalloc(&memory, std::max<size_t>(bytes, 1));
    return Allocated(error, memory, bytes, "on the device");
  }
  void Free(void* memory) noexcept override { cudaFree(memory); }
  void* AllocatePinned(size_t bytes) override {
    void* memory = nullptr;
    const cudaError_t error = cudaMallocHost(&memory, bytes);
    return Allocated(error, memory, bytes, "in the pinned memory of the host");
  }
  void FreePinned(void* memory) noexcept override { cudaFreeHost(memory); }
  void SetZero(void* device, size_t bytes) override { gpu::Check(cudaMemset(device, 0, bytes), "clearing memory"); }
  void ToDevice(void* device, const void* host, size_t bytes) override {
    gpu::Check(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice), "copy to the device");
  }
  void ToHost(void* host, const void* device, size_t bytes) override {
    gpu::Check(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost), "copy from the device");
  }
  void ToDeviceBeside(void* device, const void* host, size_t bytes, void* stream) override {
    const cudaStream_t on = stream == nullptr ? CopyStream() : static_cast<cudaStream_t>(stream);
    gpu::Check(cudaMemcpyAsync(device, host, bytes, cudaMemcpyHostToDevice, on), "copy to the device");
  }
  void BetweenDevices(void* to, int to_device, const void* from, int from_device, size_t bytes) override {
    gpu::Check(cudaMemcpyPeer(to, to_device, from, from_device, bytes), "copy between devices");
  }
  void WaitForCopies() override { gpu::Check(cudaStreamSynchronize(CopyStream()), "copies"); }
  void Synchronize() override { gpu::Check(cudaDeviceSynchronize(), "kernels"); }

  int CountDevices() override {
    int count = 0;
    if (cudaGetDeviceCount(&count) == cudaSuccess) return count;
    cudaGetLastError();
    return 0;
  }
  int Device() override { return Ask(cudaGetDevice, "current device"); }
  void SetDevice(int device) override { gpu::Check(cudaSetDevice(device), "choosing a device"); }
  bool CanUse(int device) override {
    const int current = Device();
    const bool usable = cudaSetDevice(device) == cudaSuccess && cudaFree(nullptr) == cudaSuccess;
    if (!usable) cudaGetLastError();
    SetDevice(current);
    return usable;
  }
  void ConnectTo(int other) override {
    int can = 0;
    gpu::Check(cudaDeviceCanAccessPeer(&can, Device(), other), "ways between devices");
    if (can == 0) return;
    const cudaError_t error = cudaDeviceEnablePeerAccess(other, 0);
    if (error == cudaErrorPeerAccessAlreadyEnabled) {
      cudaGetLastError();
    } else {
      gpu::Check(error, "ways between devices");
    }
  }
  string Description() override {
    const int device = Device();
    cudaDeviceProp properties;
    gpu::Check(cudaGetDeviceProperties(&properties, device), "properties");
    ostringstream text;
    text << "Device id: " << device << ", name: " << properties.name << ", compute capability: " << properties.major
         << "." << properties.minor << ", multiprocessors: " << properties.multiProcessorCount
         << ", memory: " << (properties.totalGlobalMem >> 20)
         << " MiB, CUDA driver: " << Ask(cudaDriverGetVersion, "driver version")
         << ", runtime: " << Ask(cudaRuntimeGetVersion, "runtime version");
    return text.str();
  }

  void Axpy(int n, float a, const float* x, float* y) override { caffe_gpu_axpy(n, a, x, y); }
  void Axpy(int n, double a, const double* x, double* y) override { caffe_gpu_axpy(n, a, x, y); }
  void Scale(int n, float a, float* x) override { caffe_gpu_scal(n, a, x); }
  void Scale(int n, double a, double* x) override { caffe_gpu_scal(n, a, x); }
  float SumOfMagnitudes(int n, const float* x) override { return Sum(n, x); }
  double SumOfMagnitudes(int n, const double* x) override { return Sum(n, x); }
  float Dot(int n, const float* x, const float* y) override { return Product(n, x, y); }
  double Dot(int n, const double* x, const double* y) override { return Product(n, x, y); }
  void Copy(void* to, const void* from, size_t bytes) override {
    gpu::Check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, nullptr), "copy on the device");
  }

 private:
  template <typename Dtype>
  static Dtype Sum(int n, const Dtype* x) {
    Dtype sum = 0;
    caffe_gpu_asum(n, x, &sum);
    return sum;
  }
  template <typename Dtype>
  static Dtype Product(int n, const Dtype* x, const Dtype* y) {
    Dtype sum = 0;
    caffe_gpu_dot(n, x, y, &sum);
    return sum;
  }
};

// Not destroyed: blobs of static life free memory.
[[maybe_unused]] const bool g_has_gpu = (GpuRuntime::Set(new Cuda), true);

}  // namespace
}  // namespace caffe
