// cuBLAS for kernels that run on the host (tests/support/cuda_on_host.hpp): the functions that caffe/src/gpu calls,
// with cuBLAS' arguments and its matrices column by column, by OpenBLAS.
#pragma once

extern "C" {
#include <cblas.h>
}

using cublasHandle_t = struct cublasContext*;
enum cublasStatus_t { CUBLAS_STATUS_SUCCESS, CUBLAS_STATUS_INVALID_VALUE };
enum cublasOperation_t { CUBLAS_OP_N, CUBLAS_OP_T };

inline const char* cublasGetStatusString(cublasStatus_t) { return "invalid value"; }
inline cublasStatus_t cublasCreate(cublasHandle_t* handle) {
  *handle = reinterpret_cast<cublasHandle_t>(1);
  return CUBLAS_STATUS_SUCCESS;
}

namespace cuda_on_host {

inline CBLAS_TRANSPOSE Transpose(cublasOperation_t operation) {
  return operation == CUBLAS_OP_N ? CblasNoTrans : CblasTrans;
}
// Whether a matrix of `rows` x `columns` before `operation` can have this leading dimension.
inline bool Fits(cublasOperation_t operation, int rows, int columns, int leading) {
  return leading >= (operation == CUBLAS_OP_N ? rows : columns) && leading >= 1;
}

}  // namespace cuda_on_host

#define CUBLAS_ON_HOST(S, s, T)                                                                                        \
  inline cublasStatus_t cublas##S##gemmStridedBatched(cublasHandle_t, cublasOperation_t ta, cublasOperation_t tb,      \
                                                      int m, int n, int k, const T* alpha, const T* a, int lda,        \
                                                      long long next_a, const T* b, int ldb, long long next_b,         \
                                                      const T* beta, T* c, int ldc, long long next_c, int count) {     \
    if (!cuda_on_host::Fits(ta, m, k, lda) || !cuda_on_host::Fits(tb, k, n, ldb) || ldc < m) {                         \
      return CUBLAS_STATUS_INVALID_VALUE;                                                                              \
    }                                                                                                                  \
    const cuda_on_host::OnDevice on_device;                                                                            \
    for (int i = 0; i < count; ++i) {                                                                                  \
      cblas_##s##gemm(CblasColMajor, cuda_on_host::Transpose(ta), cuda_on_host::Transpose(tb), m, n, k, *alpha,        \
                      a + i * next_a, lda, b + i * next_b, ldb, *beta, c + i * next_c, ldc);                           \
    }                                                                                                                  \
    return CUBLAS_STATUS_SUCCESS;                                                                                      \
  }                                                                                                                    \
  inline cublasStatus_t cublas##S##gemm(cublasHandle_t handle, cublasOperation_t ta, cublasOperation_t tb, int m,      \
                                        int n, int k, const T* alpha, const T* a, int lda, const T* b, int ldb,        \
                                        const T* beta, T* c, int ldc) {                                                \
    return cublas##S##gemmStridedBatched(handle, ta, tb, m, n, k, alpha, a, lda, 0, b, ldb, 0, beta, c, ldc, 0, 1);    \
  }                                                                                                                    \
  inline cublasStatus_t cublas##S##gemv(cublasHandle_t, cublasOperation_t ta, int m, int n, const T* alpha,            \
                                        const T* a, int lda, const T* x, int incx, const T* beta, T* y, int incy) {    \
    if (lda < m) return CUBLAS_STATUS_INVALID_VALUE;                                                                   \
    const cuda_on_host::OnDevice on_device;                                                                            \
    cblas_##s##gemv(CblasColMajor, cuda_on_host::Transpose(ta), m, n, *alpha, a, lda, x, incx, *beta, y, incy);        \
    return CUBLAS_STATUS_SUCCESS;                                                                                      \
  }                                                                                                                    \
  inline cublasStatus_t cublas##S##axpy(cublasHandle_t, int n, const T* alpha, const T* x, int incx, T* y, int incy) { \
    const cuda_on_host::OnDevice on_device;                                                                            \
    cblas_##s##axpy(n, *alpha, x, incx, y, incy);                                                                      \
    return CUBLAS_STATUS_SUCCESS;                                                                                      \
  }                                                                                                                    \
  inline cublasStatus_t cublas##S##scal(cublasHandle_t, int n, const T* alpha, T* x, int incx) {                       \
    const cuda_on_host::OnDevice on_device;                                                                            \
    cblas_##s##scal(n, *alpha, x, incx);                                                                               \
    return CUBLAS_STATUS_SUCCESS;                                                                                      \
  }                                                                                                                    \
  inline cublasStatus_t cublas##S##dot(cublasHandle_t, int n, const T* x, int incx, const T* y, int incy, T* result) { \
    const cuda_on_host::OnDevice on_device;                                                                            \
    *result = cblas_##s##dot(n, x, incx, y, incy);                                                                     \
    return CUBLAS_STATUS_SUCCESS;                                                                                      \
  }                                                                                                                    \
  inline cublasStatus_t cublas##S##asum(cublasHandle_t, int n, const T* x, int incx, T* result) {                      \
    const cuda_on_host::OnDevice on_device;                                                                            \
    *result = cblas_##s##asum(n, x, incx);                                                                             \
    return CUBLAS_STATUS_SUCCESS;                                                                                      \
  }
CUBLAS_ON_HOST(S, s, float)
CUBLAS_ON_HOST(D, d, double)
#undef CUBLAS_ON_HOST
