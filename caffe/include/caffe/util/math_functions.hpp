// Arrays and matrices: OpenBLAS under Caffe's names, and elementwise loops. All matrices are row-major.
#pragma once

extern "C" {
#include <cblas.h>
}

#include <cmath>
#include <cstddef>
#include <cstdint>

#include "caffe/common.hpp"

namespace caffe {

// C (M x N) = alpha op(A) op(B) + beta C; op(A) is M x K, op(B) K x N.
template <typename Dtype>
void caffe_cpu_gemm(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int M, int N, int K, Dtype alpha, const Dtype* A,
                    const Dtype* B, Dtype beta, Dtype* C);
// y = alpha op(A) x + beta y; A is M x N.
template <typename Dtype>
void caffe_cpu_gemv(CBLAS_TRANSPOSE trans_a, int M, int N, Dtype alpha, const Dtype* A, const Dtype* x, Dtype beta,
                    Dtype* y);

// Y = alpha X + Y;  Y = alpha X + beta Y;  X = alpha X;  y = alpha x.
template <typename Dtype>
void caffe_axpy(int N, Dtype alpha, const Dtype* X, Dtype* Y);
template <typename Dtype>
void caffe_cpu_axpby(int N, Dtype alpha, const Dtype* X, Dtype beta, Dtype* Y);
template <typename Dtype>
void caffe_scal(int N, Dtype alpha, Dtype* X);
template <typename Dtype>
void caffe_cpu_scale(int n, Dtype alpha, const Dtype* x, Dtype* y);

template <typename Dtype>
void caffe_copy(int N, const Dtype* X, Dtype* Y);
template <typename Dtype>
void caffe_set(int N, Dtype alpha, Dtype* X);
void caffe_memset(size_t N, int alpha, void* X);

// Elementwise: y = a op b. Any argument may alias y.
template <typename Dtype>
void caffe_add_scalar(int N, Dtype alpha, Dtype* X);
template <typename Dtype>
void caffe_add(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_sub(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_mul(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_div(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_powx(int n, const Dtype* a, Dtype b, Dtype* y);
template <typename Dtype>
void caffe_sqr(int N, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_sqrt(int N, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_exp(int n, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_log(int n, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_abs(int n, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_cpu_fabs(int n, const Dtype* x, Dtype* y);
// -1, 0 or 1.
template <typename Dtype>
void caffe_cpu_sign(int n, const Dtype* x, Dtype* y);
// 1 where the sign bit is set (-0 included), else 0.
template <typename Dtype>
void caffe_cpu_sgnbit(int n, const Dtype* x, Dtype* y);
template <typename Dtype>
void caffe_bound(int n, const Dtype* a, Dtype min, Dtype max, Dtype* y);

template <typename Dtype>
Dtype caffe_cpu_dot(int n, const Dtype* x, const Dtype* y);
template <typename Dtype>
Dtype caffe_cpu_strided_dot(int n, const Dtype* x, int incx, const Dtype* y, int incy);
// Sum of magnitudes.
template <typename Dtype>
Dtype caffe_cpu_asum(int n, const Dtype* x);

// The next larger number of this type.
template <typename Dtype>
Dtype caffe_nextafter(Dtype b);

// Random values from Caffe::rng(): uniform in [a, b], normal, and 0 or 1 with probability p for 1.
template <typename Dtype>
void caffe_rng_uniform(int n, Dtype a, Dtype b, Dtype* r);
template <typename Dtype>
void caffe_rng_gaussian(int n, Dtype mean, Dtype sigma, Dtype* r);
template <typename Dtype>
void caffe_rng_bernoulli(int n, Dtype p, int* r);
template <typename Dtype>
void caffe_rng_bernoulli(int n, Dtype p, unsigned int* r);

template <typename Dtype>
constexpr int caffe_sign(Dtype value) {
  return (Dtype(0) < value) - (value < Dtype(0));
}

#ifndef CPU_ONLY
// The same on the GPU, for pointers to its memory; results of dot and asum come to the host. Random values
// begin where Caffe::rng() says: they repeat under set_random_seed, and are others than the CPU's.
void caffe_gpu_memcpy(size_t N, const void* X, void* Y);
void caffe_gpu_memset(size_t N, int alpha, void* X);
template <typename Dtype>
void caffe_gpu_gemm(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int M, int N, int K, Dtype alpha, const Dtype* A,
                    const Dtype* B, Dtype beta, Dtype* C);
// `count` products; the matrices of the next one begin next_a, next_b, next_c values further on.
template <typename Dtype>
void caffe_gpu_gemm_batch(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int M, int N, int K, Dtype alpha,
                          const Dtype* A, int64_t next_a, const Dtype* B, int64_t next_b, Dtype beta, Dtype* C,
                          int64_t next_c, int count);
template <typename Dtype>
void caffe_gpu_gemv(CBLAS_TRANSPOSE trans_a, int M, int N, Dtype alpha, const Dtype* A, const Dtype* x, Dtype beta,
                    Dtype* y);
template <typename Dtype>
void caffe_gpu_axpy(int N, Dtype alpha, const Dtype* X, Dtype* Y);
template <typename Dtype>
void caffe_gpu_axpby(int N, Dtype alpha, const Dtype* X, Dtype beta, Dtype* Y);
template <typename Dtype>
void caffe_gpu_scal(int N, Dtype alpha, Dtype* X);
template <typename Dtype>
void caffe_gpu_scale(int n, Dtype alpha, const Dtype* x, Dtype* y);
template <typename Dtype>
void caffe_gpu_set(int N, Dtype alpha, Dtype* X);
template <typename Dtype>
void caffe_gpu_dot(int n, const Dtype* x, const Dtype* y, Dtype* out);
template <typename Dtype>
void caffe_gpu_asum(int n, const Dtype* x, Dtype* y);
template <typename Dtype>
void caffe_gpu_add_scalar(int N, Dtype alpha, Dtype* X);
template <typename Dtype>
void caffe_gpu_add(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_gpu_sub(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_gpu_mul(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_gpu_div(int N, const Dtype* a, const Dtype* b, Dtype* y);
template <typename Dtype>
void caffe_gpu_abs(int n, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_gpu_exp(int n, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_gpu_log(int n, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_gpu_sqrt(int n, const Dtype* a, Dtype* y);
template <typename Dtype>
void caffe_gpu_sign(int n, const Dtype* x, Dtype* y);
template <typename Dtype>
void caffe_gpu_sgnbit(int n, const Dtype* x, Dtype* y);
template <typename Dtype>
void caffe_gpu_powx(int n, const Dtype* a, Dtype b, Dtype* y);
template <typename Dtype>
void caffe_gpu_rng_uniform(int n, Dtype a, Dtype b, Dtype* r);
template <typename Dtype>
void caffe_gpu_rng_gaussian(int n, Dtype mean, Dtype sigma, Dtype* r);
#endif

}  // namespace caffe
