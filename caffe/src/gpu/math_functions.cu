// Products and sums on the GPU. cuBLAS has its matrices column by column: a row-major matrix is its transpose there.
#include <cublas_v2.h>

#include <algorithm>

#include "on_gpu.cuh"

namespace caffe {
namespace {

void CheckBlas(cublasStatus_t status) {
  if (status != CUBLAS_STATUS_SUCCESS) throw Error(string("GPU: cuBLAS: ") + cublasGetStatusString(status));
}

cublasHandle_t Handle() {
  cublasHandle_t& handle = gpu::OfDevice<cublasHandle_t>();
  if (handle == nullptr) CheckBlas(cublasCreate(&handle));
  return handle;
}

cublasOperation_t Operation(CBLAS_TRANSPOSE transpose) { return transpose == CblasNoTrans ? CUBLAS_OP_N : CUBLAS_OP_T; }

// The leading dimension of a row-major matrix whose rows, as it is stored, have `columns` values.
int Leading(int columns) { return std::max(columns, 1); }

// The functions of one name for both types.
#define FOR_BOTH_TYPES(name)                          \
  template <typename... Arguments>                    \
  void name(const float*, Arguments... arguments) {   \
    CheckBlas(cublasS##name(Handle(), arguments...)); \
  }                                                   \
  template <typename... Arguments>                    \
  void name(const double*, Arguments... arguments) {  \
    CheckBlas(cublasD##name(Handle(), arguments...)); \
  }
FOR_BOTH_TYPES(gemm)
FOR_BOTH_TYPES(gemmStridedBatched)
FOR_BOTH_TYPES(gemv)
FOR_BOTH_TYPES(axpy)
FOR_BOTH_TYPES(scal)
FOR_BOTH_TYPES(dot)
FOR_BOTH_TYPES(asum)
#undef FOR_BOTH_TYPES

}  // namespace

void caffe_gpu_memcpy(size_t N, const void* X, void* Y) {
  if (X != Y && N > 0) GpuRuntime::Require().Copy(Y, X, N);
}

void caffe_gpu_memset(size_t N, int alpha, void* X) { gpu::Check(cudaMemset(X, alpha, N), "clearing memory"); }

template <typename Dtype>
void caffe_gpu_gemm(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int M, int N, int K, Dtype alpha, const Dtype* A,
                    const Dtype* B, Dtype beta, Dtype* C) {
  if (M == 0 || N == 0) return;
  gemm(A, Operation(trans_b), Operation(trans_a), N, M, K, &alpha, B, Leading(trans_b == CblasNoTrans ? N : K), A,
       Leading(trans_a == CblasNoTrans ? K : M), &beta, C, N);
}

template <typename Dtype>
void caffe_gpu_gemm_batch(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int M, int N, int K, Dtype alpha,
                          const Dtype* A, int64_t next_a, const Dtype* B, int64_t next_b, Dtype beta, Dtype* C,
                          int64_t next_c, int count) {
  if (M == 0 || N == 0 || count == 0) return;
  gemmStridedBatched(A, Operation(trans_b), Operation(trans_a), N, M, K, &alpha, B,
                     Leading(trans_b == CblasNoTrans ? N : K), next_b, A, Leading(trans_a == CblasNoTrans ? K : M),
                     next_a, &beta, C, N, next_c, count);
}

template <typename Dtype>
void caffe_gpu_gemv(CBLAS_TRANSPOSE trans_a, int M, int N, Dtype alpha, const Dtype* A, const Dtype* x, Dtype beta,
                    Dtype* y) {
  if (M == 0 || N == 0) return;
  gemv(A, trans_a == CblasNoTrans ? CUBLAS_OP_T : CUBLAS_OP_N, N, M, &alpha, A, N, x, 1, &beta, y, 1);
}

template <typename Dtype>
void caffe_gpu_axpy(int N, Dtype alpha, const Dtype* X, Dtype* Y) {
  axpy(X, N, &alpha, X, 1, Y, 1);
}

template <typename Dtype>
void caffe_gpu_axpby(int N, Dtype alpha, const Dtype* X, Dtype beta, Dtype* Y) {
  OnGpu::ForEach(N, [=] CAFFE_DEVICE(int i) { Y[i] = alpha * X[i] + beta * Y[i]; });
}

template <typename Dtype>
void caffe_gpu_scal(int N, Dtype alpha, Dtype* X) {
  scal(X, N, &alpha, X, 1);
}

template <typename Dtype>
void caffe_gpu_scale(int n, Dtype alpha, const Dtype* x, Dtype* y) {
  OnGpu::ForEach(n, [=] CAFFE_DEVICE(int i) { y[i] = alpha * x[i]; });
}

template <typename Dtype>
void caffe_gpu_set(int N, Dtype alpha, Dtype* X) {
  OnGpu::Set(N, alpha, X);
}

template <typename Dtype>
void caffe_gpu_dot(int n, const Dtype* x, const Dtype* y, Dtype* out) {
  dot(x, n, x, 1, y, 1, out);
}

template <typename Dtype>
void caffe_gpu_asum(int n, const Dtype* x, Dtype* y) {
  asum(x, n, x, 1, y);
}

template <typename Dtype>
void caffe_gpu_add_scalar(int N, Dtype alpha, Dtype* X) {
  OnGpu::ForEach(N, [=] CAFFE_DEVICE(int i) { X[i] += alpha; });
}

#define DEFINE_ELEMENTWISE(name, expression)                           \
  template <typename Dtype>                                            \
  void name(int N, const Dtype* a, const Dtype* b, Dtype* y) {         \
    OnGpu::ForEach(N, [=] CAFFE_DEVICE(int i) { y[i] = expression; }); \
  }
DEFINE_ELEMENTWISE(caffe_gpu_add, a[i] + b[i])
DEFINE_ELEMENTWISE(caffe_gpu_sub, a[i] - b[i])
DEFINE_ELEMENTWISE(caffe_gpu_mul, a[i] * b[i])
DEFINE_ELEMENTWISE(caffe_gpu_div, a[i] / b[i])
#undef DEFINE_ELEMENTWISE

#define DEFINE_ELEMENTWISE(name, expression)                           \
  template <typename Dtype>                                            \
  void name(int n, const Dtype* a, Dtype* y) {                         \
    OnGpu::ForEach(n, [=] CAFFE_DEVICE(int i) { y[i] = expression; }); \
  }
DEFINE_ELEMENTWISE(caffe_gpu_abs, std::fabs(a[i]))
DEFINE_ELEMENTWISE(caffe_gpu_exp, std::exp(a[i]))
DEFINE_ELEMENTWISE(caffe_gpu_log, std::log(a[i]))
DEFINE_ELEMENTWISE(caffe_gpu_sqrt, std::sqrt(a[i]))
DEFINE_ELEMENTWISE(caffe_gpu_sign, caffe_sign(a[i]))
DEFINE_ELEMENTWISE(caffe_gpu_sgnbit, std::signbit(a[i]))
#undef DEFINE_ELEMENTWISE

template <typename Dtype>
void caffe_gpu_powx(int n, const Dtype* a, Dtype b, Dtype* y) {
  OnGpu::ForEach(n, [=] CAFFE_DEVICE(int i) { y[i] = std::pow(a[i], b); });
}

template <typename Dtype>
void caffe_gpu_rng_uniform(int n, Dtype a, Dtype b, Dtype* r) {
  CAFFE_REQUIRE(a <= b) << "a uniform distribution from " << a << " to " << b << " cannot exist";
  const uint64_t first = gpu::FirstCounter();
  OnGpu::ForEach(n, [=] CAFFE_DEVICE(int i) { r[i] = static_cast<Dtype>(a + (b - a) * gpu::Uniform01(first + i)); });
}

// Two uniform numbers make one normal one (Box and Muller 1958).
template <typename Dtype>
void caffe_gpu_rng_gaussian(int n, Dtype mean, Dtype sigma, Dtype* r) {
  CAFFE_REQUIRE(sigma > 0) << "a normal distribution needs a deviation above 0, got " << sigma;
  const uint64_t first = gpu::FirstCounter();
  OnGpu::ForEach(n, [=] CAFFE_DEVICE(int i) {
    constexpr double kTwoPi = 6.283185307179586;
    const double radius = std::sqrt(-2 * std::log(gpu::Uniform01(first + 2 * static_cast<uint64_t>(i))));
    const double angle = kTwoPi * gpu::Uniform01(first + 2 * static_cast<uint64_t>(i) + 1);
    r[i] = static_cast<Dtype>(mean + sigma * radius * std::cos(angle));
  });
}

#define INSTANTIATE_GPU_MATH(T)                                                                                       \
  template void caffe_gpu_gemm(CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, int, int, int, T, const T*, const T*, T, T*);        \
  template void caffe_gpu_gemm_batch(CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, int, int, int, T, const T*, int64_t, const T*, \
                                     int64_t, T, T*, int64_t, int);                                                   \
  template void caffe_gpu_gemv(CBLAS_TRANSPOSE, int, int, T, const T*, const T*, T, T*);                              \
  template void caffe_gpu_axpy(int, T, const T*, T*);                                                                 \
  template void caffe_gpu_axpby(int, T, const T*, T, T*);                                                             \
  template void caffe_gpu_scal(int, T, T*);                                                                           \
  template void caffe_gpu_scale(int, T, const T*, T*);                                                                \
  template void caffe_gpu_set(int, T, T*);                                                                            \
  template void caffe_gpu_dot(int, const T*, const T*, T*);                                                           \
  template void caffe_gpu_asum(int, const T*, T*);                                                                    \
  template void caffe_gpu_add_scalar(int, T, T*);                                                                     \
  template void caffe_gpu_add(int, const T*, const T*, T*);                                                           \
  template void caffe_gpu_sub(int, const T*, const T*, T*);                                                           \
  template void caffe_gpu_mul(int, const T*, const T*, T*);                                                           \
  template void caffe_gpu_div(int, const T*, const T*, T*);                                                           \
  template void caffe_gpu_abs(int, const T*, T*);                                                                     \
  template void caffe_gpu_exp(int, const T*, T*);                                                                     \
  template void caffe_gpu_log(int, const T*, T*);                                                                     \
  template void caffe_gpu_sqrt(int, const T*, T*);                                                                    \
  template void caffe_gpu_sign(int, const T*, T*);                                                                    \
  template void caffe_gpu_sgnbit(int, const T*, T*);                                                                  \
  template void caffe_gpu_powx(int, const T*, T, T*);                                                                 \
  template void caffe_gpu_rng_uniform(int, T, T, T*);                                                                 \
  template void caffe_gpu_rng_gaussian(int, T, T, T*)
INSTANTIATE_GPU_MATH(float);
INSTANTIATE_GPU_MATH(double);

}  // namespace caffe
