// OnGpu: the GPU's side of caffe/util/where.hpp, and launching kernels. For .cu files and the GPU's pass over layers.
#pragma once

// Tests compile these files for the host (tests/support/cuda_on_host.hpp, included before anything else).
#ifndef RXNN_CUDA_ON_HOST
#include <cuda_runtime.h>
#endif

#include <algorithm>
#include <map>
#include <vector>

#include "caffe/layer.hpp"
#include "caffe/util/where.hpp"

namespace caffe {
namespace gpu {

constexpr int kWarp = 32;
// Threads of a block: for loops over elements, and for one row.
constexpr int kThreads = 256;
constexpr int kMostRowThreads = 512;

inline void Check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  throw Error(string("GPU: ") + what + ": " + cudaGetErrorString(error));
}

#ifdef RXNN_CUDA_ON_HOST
using cuda_on_host::Launch;
#else
template <typename... Parameters, typename... Arguments>
void Launch(void (*kernel)(Parameters...), dim3 grid, int threads, size_t shared, const Arguments&... arguments) {
  kernel<<<grid, threads, shared>>>(arguments...);
  Check(cudaGetLastError(), "launch");
}
#define RXNN_SHARED(type, name)                                   \
  extern __shared__ __align__(16) unsigned char bytes_of_block[]; \
  type* name = reinterpret_cast<type*>(bytes_of_block)
#endif

template <typename Body>
__global__ void __launch_bounds__(kThreads) EachElement(int count, Body body) {
  const int64_t i = static_cast<int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i < count) body(static_cast<int>(i));
}

// One block a row: every thread takes some columns, then warps, then the block join what they found.
template <typename Operation, typename Term, typename Store>
__global__ void __launch_bounds__(kMostRowThreads) EachRow(int columns, Term term, Store store) {
  RXNN_SHARED(double, of_warps);
  const int row = static_cast<int>(blockIdx.x), thread = static_cast<int>(threadIdx.x);
  const int threads = static_cast<int>(blockDim.x);
  double result = Operation::Identity();
  for (int64_t column = thread; column < columns; column += threads) {
    result = Operation::Join(result, term(row, static_cast<int>(column)));
  }
  for (int lanes = kWarp / 2; lanes > 0; lanes /= 2) {
    result = Operation::Join(result, __shfl_xor_sync(0xFFFFFFFFu, result, lanes));
  }
  if (thread % kWarp == 0) of_warps[thread / kWarp] = result;
  __syncthreads();
  if (thread == 0) {
    for (int warp = 1; warp < threads / kWarp; ++warp) result = Operation::Join(result, of_warps[warp]);
    store(row, result);
  }
}

// The T of this thread and the current device.
template <typename T>
T& OfDevice() {
  thread_local std::map<int, T> of_devices;
  return of_devices[GpuRuntime::Require().Device()];
}

// Memory of the current device for what lasts no longer than one call of a layer, of this thread; grows to the largest.
template <typename T>
T* Scratch(int count) {
  Blob<T>& blob = OfDevice<Blob<T>>();
  blob.Reshape({count});
  return blob.mutable_gpu_data();
}

// A well mixed 64-bit number for every counter: SplitMix64 (Steele, Lea, Flood, "Fast splittable pseudorandom number
// generators", OOPSLA 2014).
CAFFE_DEVICE inline uint64_t Mixed(uint64_t counter) {
  uint64_t z = counter * 0x9E3779B97F4A7C15u;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
  return z ^ (z >> 31);
}
// In (0, 1), 2^-53 apart.
CAFFE_DEVICE inline double Uniform01(uint64_t counter) {
  return (static_cast<double>(Mixed(counter) >> 11) + 0.5) * (1.0 / 9007199254740992.0);
}
// Where the counters of one call begin: from Caffe::rng(), so that they repeat under set_random_seed.
inline uint64_t FirstCounter() {
  const uint64_t high = caffe_rng_rand();
  return high << 32 | caffe_rng_rand();
}

}  // namespace gpu

struct OnGpu {
  template <typename T>
  static const T* Data(const Blob<T>* blob) {
    return blob->gpu_data();
  }
  template <typename T>
  static T* MutableData(Blob<T>* blob) {
    return blob->mutable_gpu_data();
  }
  template <typename T>
  static const T* Diff(const Blob<T>* blob) {
    return blob->gpu_diff();
  }
  template <typename T>
  static T* MutableDiff(Blob<T>* blob) {
    return blob->mutable_gpu_diff();
  }

  template <typename Body>
  static void ForEach(int count, Body body) {
    if (count > 0) {
      const unsigned blocks = (static_cast<unsigned>(count) + gpu::kThreads - 1) / gpu::kThreads;
      gpu::Launch(&gpu::EachElement<Body>, dim3(blocks), gpu::kThreads, 0, count, body);
    }
  }
  template <typename Operation, typename Term, typename Store>
  static void ReduceRows(int rows, int columns, Term term, Store store) {
    if (rows <= 0) return;
    const int warps = std::min((columns + gpu::kWarp - 1) / gpu::kWarp, gpu::kMostRowThreads / gpu::kWarp);
    const int threads = std::max(warps, 1) * gpu::kWarp;
    gpu::Launch(&gpu::EachRow<Operation, Term, Store>, dim3(rows), threads, threads / gpu::kWarp * sizeof(double),
                columns, term, store);
  }
  template <typename Term>
  static double Sum(int count, Term term) {
    // Rows of this length, so that one sum keeps many processors at work; their sums are added on the host.
    constexpr int kColumns = 1 << 14;
    const int rows = static_cast<int>((static_cast<int64_t>(count) + kColumns - 1) / kColumns);
    if (rows == 0) return 0;
    double* of_rows = gpu::Scratch<double>(rows);
    ReduceRows<SumOfRow>(
        rows, kColumns,
        [=] CAFFE_DEVICE(int row, int column) {
          const int64_t i = static_cast<int64_t>(row) * kColumns + column;
          return i < count ? static_cast<double>(term(static_cast<int>(i))) : 0.0;
        },
        [=] CAFFE_DEVICE(int row, double sum) { of_rows[row] = sum; });
    vector<double> found(rows);
    GpuRuntime::Require().ToHost(found.data(), of_rows, rows * sizeof(double));
    double sum = 0;
    for (const double of_row : found) sum += of_row;
    return sum;
  }

  template <typename T>
  static void Gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, T alpha, const T* a, const T* b, T beta,
                   T* c) {
    caffe_gpu_gemm<T>(ta, tb, m, n, k, alpha, a, b, beta, c);
  }
  template <typename T>
  static void Gemv(CBLAS_TRANSPOSE ta, int m, int n, T alpha, const T* a, const T* x, T beta, T* y) {
    caffe_gpu_gemv<T>(ta, m, n, alpha, a, x, beta, y);
  }
  template <typename T>
  static void Copy(int n, const T* x, T* y) {
    caffe_gpu_memcpy(n * sizeof(T), x, y);
  }
  template <typename T>
  static void CopyRows(int rows, int columns, const T* from, int from_step, T* to, int to_step) {
    ForEach(rows * columns, [=] CAFFE_DEVICE(int i) {
      const int64_t row = i / columns;
      to[row * to_step + i % columns] = from[row * from_step + i % columns];
    });
  }
  template <typename T>
  static void Set(int n, T value, T* x) {
    ForEach(n, [=] CAFFE_DEVICE(int i) { x[i] = value; });
  }
  template <typename T>
  static void Bernoulli(int n, T p, unsigned* r) {
    const uint64_t first = gpu::FirstCounter();
    const double limit = p;
    ForEach(n, [=] CAFFE_DEVICE(int i) { r[i] = gpu::Uniform01(first + i) < limit; });
  }
};

}  // namespace caffe
