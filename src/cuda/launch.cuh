// Launching kernels, for .cu files.
#pragma once

// Tests compile these files for the host (tests/support/cuda_on_host.hpp, included before anything else).
#ifndef RXNN_CUDA_ON_HOST
#include <cuda_runtime.h>
#endif

#include <cstddef>
#include <cstdint>
#include <stdexcept>
#include <string>

namespace rxnn::cuda {

inline void Check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw std::runtime_error(std::string("GPU: ") + what + ": " + cudaGetErrorString(error));
}

#ifndef RXNN_CUDA_ON_HOST
// Starts `kernel` on the default stream, with `shared` bytes of shared memory.
template <typename... Parameters, typename... Arguments>
void Launch(void (*kernel)(Parameters...), dim3 grid, int threads, std::size_t shared, const Arguments&... arguments) {
  if (grid.x == 0 || grid.y == 0 || grid.z == 0) return;
  constexpr std::size_t kWithoutAsking = 48 * 1024;
  if (shared > kWithoutAsking) {
    Check(cudaFuncSetAttribute(kernel, cudaFuncAttributeMaxDynamicSharedMemorySize, static_cast<int>(shared)),
          "shared memory");
  }
  kernel<<<grid, threads, shared>>>(arguments...);
  Check(cudaGetLastError(), "launch");
}

#define RXNN_SHARED(type, name)                                   \
  extern __shared__ __align__(16) unsigned char bytes_of_block[]; \
  type* name = reinterpret_cast<type*>(bytes_of_block)
#endif

// Blocks of `size` that cover `count`.
inline unsigned Blocks(std::int64_t count, std::int64_t size) {
  return static_cast<unsigned>((count + size - 1) / size);
}

}  // namespace rxnn::cuda
