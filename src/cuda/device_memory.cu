#include <new>

#include "cuda/device_memory.hpp"
#include "cuda/launch.cuh"

namespace rxnn::cuda {

void* Allocate(std::size_t bytes) {
  void* memory = nullptr;
  const cudaError_t error = cudaMalloc(&memory, bytes);
  if (error == cudaErrorMemoryAllocation) {
    cudaGetLastError();  // not to be found by the next launch
    throw std::bad_alloc();
  }
  Check(error, "memory");
  return memory;
}

void Free(void* memory) noexcept { cudaFree(memory); }

void ToDevice(void* to, const void* from, std::size_t bytes) {
  Check(cudaMemcpy(to, from, bytes, cudaMemcpyHostToDevice), "copy to the device");
}

void ToHost(void* to, const void* from, std::size_t bytes) {
  Check(cudaMemcpy(to, from, bytes, cudaMemcpyDeviceToHost), "copy from the device");
}

void SetZero(void* memory, std::size_t bytes) { Check(cudaMemset(memory, 0, bytes), "clearing memory"); }

void Synchronize() { Check(cudaDeviceSynchronize(), "kernels"); }

DeviceFacts Facts() {
  int device = 0;
  Check(cudaGetDevice(&device), "current device");
  cudaDeviceProp properties;
  Check(cudaGetDeviceProperties(&properties, device), "properties");
  return {properties.name, properties.multiProcessorCount, properties.sharedMemPerBlockOptin};
}

int CountDevices(std::string* why_none) {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess) {
    cudaGetLastError();
    count = 0;
  }
  if (count == 0 && why_none != nullptr) {
    *why_none = error == cudaSuccess ? "no CUDA device" : cudaGetErrorString(error);
  }
  return count;
}

}  // namespace rxnn::cuda
