#include "caffe/util/math_functions.hpp"

#include <algorithm>
#include <cstring>
#include <functional>
#include <limits>

#include "caffe/util/parallel.hpp"

namespace caffe {
namespace {

void Gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, float alpha, const float* a, int lda,
          const float* b, int ldb, float beta, float* c) {
  cblas_sgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, n);
}
void Gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, int m, int n, int k, double alpha, const double* a, int lda,
          const double* b, int ldb, double beta, double* c) {
  cblas_dgemm(CblasRowMajor, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, n);
}
void Gemv(CBLAS_TRANSPOSE ta, int m, int n, float alpha, const float* a, const float* x, float beta, float* y) {
  cblas_sgemv(CblasRowMajor, ta, m, n, alpha, a, n, x, 1, beta, y, 1);
}
void Gemv(CBLAS_TRANSPOSE ta, int m, int n, double alpha, const double* a, const double* x, double beta, double* y) {
  cblas_dgemv(CblasRowMajor, ta, m, n, alpha, a, n, x, 1, beta, y, 1);
}
float Dot(int n, const float* x, int incx, const float* y, int incy) { return cblas_sdot(n, x, incx, y, incy); }
double Dot(int n, const double* x, int incx, const double* y, int incy) { return cblas_ddot(n, x, incx, y, incy); }
template <typename Integer>
Integer Dot(int n, const Integer* x, int incx, const Integer* y, int incy) {
  Integer sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i * incx] * y[i * incy];
  return sum;
}
float Asum(int n, const float* x) { return cblas_sasum(n, x, 1); }
double Asum(int n, const double* x) { return cblas_dasum(n, x, 1); }
int Asum(int n, const int* x) {
  int sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i] < 0 ? -x[i] : x[i];
  return sum;
}
unsigned int Asum(int n, const unsigned int* x) {
  unsigned int sum = 0;
  for (int i = 0; i < n; ++i) sum += x[i];
  return sum;
}

}  // namespace

template <typename Dtype>
void caffe_cpu_gemm(CBLAS_TRANSPOSE trans_a, CBLAS_TRANSPOSE trans_b, int M, int N, int K, Dtype alpha, const Dtype* A,
                    const Dtype* B, Dtype beta, Dtype* C) {
  Gemm(trans_a, trans_b, M, N, K, alpha, A, trans_a == CblasNoTrans ? K : M, B, trans_b == CblasNoTrans ? N : K, beta,
       C);
}

template <typename Dtype>
void caffe_cpu_gemv(CBLAS_TRANSPOSE trans_a, int M, int N, Dtype alpha, const Dtype* A, const Dtype* x, Dtype beta,
                    Dtype* y) {
  Gemv(trans_a, M, N, alpha, A, x, beta, y);
}

template <typename Dtype>
void caffe_axpy(int N, Dtype alpha, const Dtype* X, Dtype* Y) {
  ForEachElement(N, [=](int i) { Y[i] += alpha * X[i]; });
}

template <typename Dtype>
void caffe_cpu_axpby(int N, Dtype alpha, const Dtype* X, Dtype beta, Dtype* Y) {
  ForEachElement(N, [=](int i) { Y[i] = alpha * X[i] + beta * Y[i]; });
}

template <typename Dtype>
void caffe_scal(int N, Dtype alpha, Dtype* X) {
  ForEachElement(N, [=](int i) { X[i] *= alpha; });
}

template <typename Dtype>
void caffe_cpu_scale(int n, Dtype alpha, const Dtype* x, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = alpha * x[i]; });
}

template <typename Dtype>
void caffe_copy(int N, const Dtype* X, Dtype* Y) {
  if (X != Y && N > 0) std::memcpy(Y, X, sizeof(Dtype) * static_cast<size_t>(N));
}

template <typename Dtype>
void caffe_set(int N, Dtype alpha, Dtype* X) {
  std::fill_n(X, N, alpha);
}

void caffe_memset(size_t N, int alpha, void* X) { std::memset(X, alpha, N); }

template <typename Dtype>
void caffe_add_scalar(int N, Dtype alpha, Dtype* X) {
  ForEachElement(N, [=](int i) { X[i] += alpha; });
}

template <typename Dtype>
void caffe_add(int N, const Dtype* a, const Dtype* b, Dtype* y) {
  ForEachElement(N, [=](int i) { y[i] = a[i] + b[i]; });
}

template <typename Dtype>
void caffe_sub(int N, const Dtype* a, const Dtype* b, Dtype* y) {
  ForEachElement(N, [=](int i) { y[i] = a[i] - b[i]; });
}

template <typename Dtype>
void caffe_mul(int N, const Dtype* a, const Dtype* b, Dtype* y) {
  ForEachElement(N, [=](int i) { y[i] = a[i] * b[i]; });
}

template <typename Dtype>
void caffe_div(int N, const Dtype* a, const Dtype* b, Dtype* y) {
  ForEachElement(N, [=](int i) { y[i] = a[i] / b[i]; });
}

template <typename Dtype>
void caffe_powx(int n, const Dtype* a, Dtype b, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = std::pow(a[i], b); });
}

template <typename Dtype>
void caffe_sqr(int N, const Dtype* a, Dtype* y) {
  ForEachElement(N, [=](int i) { y[i] = a[i] * a[i]; });
}

template <typename Dtype>
void caffe_sqrt(int N, const Dtype* a, Dtype* y) {
  ForEachElement(N, [=](int i) { y[i] = std::sqrt(a[i]); });
}

template <typename Dtype>
void caffe_exp(int n, const Dtype* a, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = std::exp(a[i]); });
}

template <typename Dtype>
void caffe_log(int n, const Dtype* a, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = std::log(a[i]); });
}

template <typename Dtype>
void caffe_abs(int n, const Dtype* a, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = std::fabs(a[i]); });
}

template <typename Dtype>
void caffe_cpu_sign(int n, const Dtype* x, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = caffe_sign(x[i]); });
}

template <typename Dtype>
void caffe_cpu_fabs(int n, const Dtype* x, Dtype* y) {
  caffe_abs(n, x, y);
}

template <typename Dtype>
void caffe_cpu_sgnbit(int n, const Dtype* x, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = std::signbit(x[i]); });
}

template <typename Dtype>
Dtype caffe_nextafter(Dtype b) {
  return std::nextafter(b, std::numeric_limits<Dtype>::max());
}

template <typename Dtype>
void caffe_bound(int n, const Dtype* a, Dtype min, Dtype max, Dtype* y) {
  ForEachElement(n, [=](int i) { y[i] = std::min(std::max(a[i], min), max); });
}

template <typename Dtype>
Dtype caffe_cpu_strided_dot(int n, const Dtype* x, int incx, const Dtype* y, int incy) {
  return Dot(n, x, incx, y, incy);
}

template <typename Dtype>
Dtype caffe_cpu_dot(int n, const Dtype* x, const Dtype* y) {
  return Dot(n, x, 1, y, 1);
}

template <typename Dtype>
Dtype caffe_cpu_asum(int n, const Dtype* x) {
  return Asum(n, x);
}

template <typename Dtype>
void caffe_rng_uniform(int n, Dtype a, Dtype b, Dtype* r) {
  CAFFE_REQUIRE(a <= b) << "a uniform distribution from " << a << " to " << b << " cannot exist";
  std::uniform_real_distribution<Dtype> uniform(a, caffe_nextafter(b));
  std::generate_n(r, n, [&] { return uniform(Caffe::rng()); });
}

template <typename Dtype>
void caffe_rng_gaussian(int n, Dtype mean, Dtype sigma, Dtype* r) {
  CAFFE_REQUIRE(sigma > 0) << "a normal distribution needs a deviation above 0, got " << sigma;
  std::normal_distribution<Dtype> normal(mean, sigma);
  std::generate_n(r, n, [&] { return normal(Caffe::rng()); });
}

namespace {

template <typename Dtype, typename Integer>
void Bernoulli(int n, Dtype p, Integer* r) {
  CAFFE_REQUIRE(p >= 0 && p <= 1) << "a probability is from 0 to 1, got " << p;
  std::bernoulli_distribution bernoulli(p);
  std::generate_n(r, n, [&] { return static_cast<Integer>(bernoulli(Caffe::rng())); });
}

}  // namespace

template <typename Dtype>
void caffe_rng_bernoulli(int n, Dtype p, int* r) {
  Bernoulli(n, p, r);
}

template <typename Dtype>
void caffe_rng_bernoulli(int n, Dtype p, unsigned int* r) {
  Bernoulli(n, p, r);
}

// What all element types have (blobs of indices are blobs too), and what only real numbers have.
#define INSTANTIATE_ANY(T)                           \
  template void caffe_axpy(int, T, const T*, T*);    \
  template void caffe_scal(int, T, T*);              \
  template void caffe_copy(int, const T*, T*);       \
  template void caffe_set(int, T, T*);               \
  template void caffe_add_scalar(int, T, T*);        \
  template T caffe_cpu_dot(int, const T*, const T*); \
  template T caffe_cpu_asum(int, const T*)

#define INSTANTIATE_REAL(T)                                                                                    \
  INSTANTIATE_ANY(T);                                                                                          \
  template void caffe_cpu_gemm(CBLAS_TRANSPOSE, CBLAS_TRANSPOSE, int, int, int, T, const T*, const T*, T, T*); \
  template void caffe_cpu_gemv(CBLAS_TRANSPOSE, int, int, T, const T*, const T*, T, T*);                       \
  template void caffe_cpu_axpby(int, T, const T*, T, T*);                                                      \
  template void caffe_cpu_scale(int, T, const T*, T*);                                                         \
  template void caffe_add(int, const T*, const T*, T*);                                                        \
  template void caffe_sub(int, const T*, const T*, T*);                                                        \
  template void caffe_mul(int, const T*, const T*, T*);                                                        \
  template void caffe_div(int, const T*, const T*, T*);                                                        \
  template void caffe_powx(int, const T*, T, T*);                                                              \
  template void caffe_sqr(int, const T*, T*);                                                                  \
  template void caffe_sqrt(int, const T*, T*);                                                                 \
  template void caffe_exp(int, const T*, T*);                                                                  \
  template void caffe_log(int, const T*, T*);                                                                  \
  template void caffe_abs(int, const T*, T*);                                                                  \
  template void caffe_cpu_fabs(int, const T*, T*);                                                             \
  template void caffe_cpu_sign(int, const T*, T*);                                                             \
  template void caffe_cpu_sgnbit(int, const T*, T*);                                                           \
  template T caffe_nextafter(T);                                                                               \
  template void caffe_bound(int, const T*, T, T, T*);                                                          \
  template T caffe_cpu_strided_dot(int, const T*, int, const T*, int);                                         \
  template void caffe_rng_uniform(int, T, T, T*);                                                              \
  template void caffe_rng_gaussian(int, T, T, T*);                                                             \
  template void caffe_rng_bernoulli(int, T, int*);                                                             \
  template void caffe_rng_bernoulli(int, T, unsigned int*)

INSTANTIATE_ANY(int);
INSTANTIATE_ANY(unsigned int);
INSTANTIATE_REAL(float);
INSTANTIATE_REAL(double);

}  // namespace caffe
