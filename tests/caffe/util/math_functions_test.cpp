// Array and matrix functions against loops in double precision.
#include "caffe/util/math_functions.hpp"

#include <cmath>

#include "tests/support/layer_harness.hpp"

namespace rxnn::testing {
namespace {

template <typename Dtype>
class MathFunctionsTest : public ::testing::Test {
 protected:
  // Large enough for the loops to run in threads.
  static constexpr int kCount = 40001;

  static std::vector<Dtype> Values(int count, double low = -2, double high = 2, unsigned seed = 1) {
    const auto blob = RandomBlob<Dtype>({count}, low, high, seed);
    return std::vector<Dtype>(blob->cpu_data(), blob->cpu_data() + count);
  }
};
TYPED_TEST_SUITE(MathFunctionsTest, BothTypes);

TYPED_TEST(MathFunctionsTest, Gemm) {
  using D = TypeParam;
  const int M = 5, N = 7, K = 9;
  for (const CBLAS_TRANSPOSE ta : {CblasNoTrans, CblasTrans}) {
    for (const CBLAS_TRANSPOSE tb : {CblasNoTrans, CblasTrans}) {
      const std::vector<D> a = this->Values(M * K), b = this->Values(K * N, -2, 2, 2);
      const std::vector<D> c = this->Values(M * N, -2, 2, 3);
      std::vector<D> result = c;
      caffe::caffe_cpu_gemm<D>(ta, tb, M, N, K, D(0.5), a.data(), b.data(), D(2), result.data());
      for (int m = 0; m < M; ++m) {
        for (int n = 0; n < N; ++n) {
          double sum = 0;
          for (int k = 0; k < K; ++k) {
            sum += static_cast<double>(ta == CblasTrans ? a[k * M + m] : a[m * K + k]) *
                   (tb == CblasTrans ? b[n * K + k] : b[k * N + n]);
          }
          ASSERT_NEAR(result[m * N + n], 0.5 * sum + 2.0 * c[m * N + n], SumTolerance<D>(K + 1, 4 * K));
        }
      }
    }
  }
}

TYPED_TEST(MathFunctionsTest, Gemv) {
  using D = TypeParam;
  const int M = 5, N = 7;
  const std::vector<D> a = this->Values(M * N);
  for (const bool transpose : {false, true}) {
    const std::vector<D> x = this->Values(transpose ? M : N, -2, 2, 2), y = this->Values(transpose ? N : M, -2, 2, 3);
    std::vector<D> result = y;
    caffe::caffe_cpu_gemv<D>(transpose ? CblasTrans : CblasNoTrans, M, N, D(0.5), a.data(), x.data(), D(2),
                             result.data());
    for (size_t i = 0; i < y.size(); ++i) {
      double sum = 2.0 * y[i];
      for (size_t k = 0; k < x.size(); ++k) sum += 0.5 * x[k] * (transpose ? a[k * N + i] : a[i * N + k]);
      ASSERT_NEAR(result[i], sum, SumTolerance<D>(N + 1, 4 * N));
    }
  }
}

TYPED_TEST(MathFunctionsTest, Elementwise) {
  using D = TypeParam;
  const int n = this->kCount;
  const std::vector<D> a = this->Values(n), b = this->Values(n, 0.5, 2, 2);
  std::vector<D> y(n);
  const auto expect = [&](const char* what, const std::function<double(double, double)>& formula) {
    SCOPED_TRACE(what);
    for (int i = 0; i < n; ++i) {
      const double expected = formula(a[i], b[i]);
      ASSERT_NEAR(y[i], expected, tolerance::kFewRoundings<D> * std::max(1.0, std::abs(expected))) << "at " << i;
    }
  };
  caffe::caffe_add(n, a.data(), b.data(), y.data());
  expect("add", [](double s, double t) { return s + t; });
  caffe::caffe_sub(n, a.data(), b.data(), y.data());
  expect("sub", [](double s, double t) { return s - t; });
  caffe::caffe_mul(n, a.data(), b.data(), y.data());
  expect("mul", [](double s, double t) { return s * t; });
  caffe::caffe_div(n, a.data(), b.data(), y.data());
  expect("div", [](double s, double t) { return s / t; });
  caffe::caffe_sqr(n, a.data(), y.data());
  expect("sqr", [](double s, double) { return s * s; });
  caffe::caffe_sqrt(n, b.data(), y.data());
  expect("sqrt", [](double, double t) { return std::sqrt(t); });
  caffe::caffe_exp(n, a.data(), y.data());
  expect("exp", [](double s, double) { return std::exp(s); });
  caffe::caffe_log(n, b.data(), y.data());
  expect("log", [](double, double t) { return std::log(t); });
  caffe::caffe_abs(n, a.data(), y.data());
  expect("abs", [](double s, double) { return std::abs(s); });
  caffe::caffe_powx(n, b.data(), D(1.5), y.data());
  expect("powx", [](double, double t) { return std::pow(t, 1.5); });
  caffe::caffe_cpu_sign(n, a.data(), y.data());
  expect("sign", [](double s, double) { return (s > 0) - (s < 0); });
  caffe::caffe_bound(n, a.data(), D(-0.5), D(1), y.data());
  expect("bound", [](double s, double) { return std::clamp(s, -0.5, 1.0); });
  caffe::caffe_cpu_scale(n, D(-3), a.data(), y.data());
  expect("scale", [](double s, double) { return -3 * s; });
  y = b;
  caffe::caffe_axpy(n, D(3), a.data(), y.data());
  expect("axpy", [](double s, double t) { return 3 * s + t; });
  y = b;
  caffe::caffe_cpu_axpby(n, D(3), a.data(), D(-2), y.data());
  expect("axpby", [](double s, double t) { return 3 * s - 2 * t; });
  y = a;
  caffe::caffe_scal(n, D(0.25), y.data());
  expect("scal", [](double s, double) { return s / 4; });
  y = a;
  caffe::caffe_add_scalar(n, D(0.25), y.data());
  expect("add_scalar", [](double s, double) { return s + 0.25; });
  y = a;
  caffe::caffe_mul(n, y.data(), y.data(), y.data());  // all the same array
  expect("mul in place", [](double s, double) { return s * s; });
  caffe::caffe_copy(n, a.data(), y.data());
  expect("copy", [](double s, double) { return s; });
  caffe::caffe_set(n, D(1.5), y.data());
  expect("set", [](double, double) { return 1.5; });
  caffe::caffe_set(n, D(0), y.data());
  expect("set to 0", [](double, double) { return 0; });
}

TYPED_TEST(MathFunctionsTest, Reductions) {
  using D = TypeParam;
  const int n = 1001;
  const std::vector<D> a = this->Values(n), b = this->Values(n, -2, 2, 2);
  double dot = 0, strided = 0, magnitude = 0;
  for (int i = 0; i < n; ++i) {
    dot += static_cast<double>(a[i]) * b[i];
    magnitude += std::abs(a[i]);
  }
  for (int i = 0; i < 300; ++i) strided += static_cast<double>(a[3 * i]) * b[2 * i];
  EXPECT_NEAR(caffe::caffe_cpu_dot(n, a.data(), b.data()), dot, SumTolerance<D>(n, 4 * n));
  EXPECT_NEAR(caffe::caffe_cpu_strided_dot(300, a.data(), 3, b.data(), 2), strided, SumTolerance<D>(300, 1200));
  EXPECT_NEAR(caffe::caffe_cpu_asum(n, a.data()), magnitude, SumTolerance<D>(n, 2 * n));
}

TYPED_TEST(MathFunctionsTest, RandomNumbersFollowTheirLaws) {
  using D = TypeParam;
  const int n = 40000;
  caffe::Caffe::set_random_seed(3);
  std::vector<D> values(n);
  const auto distance = [&](const std::function<double(double)>& law) {
    std::vector<D> sorted = values;
    std::sort(sorted.begin(), sorted.end());
    double worst = 0;
    for (int i = 0; i < n; ++i) {
      worst = std::max({worst, std::abs(law(sorted[i]) - static_cast<double>(i) / n),
                        std::abs(law(sorted[i]) - static_cast<double>(i + 1) / n)});
    }
    return worst;
  };
  caffe::caffe_rng_uniform<D>(n, D(-1), D(3), values.data());
  EXPECT_LT(distance([](double x) { return (x + 1) / 4; }), tolerance::KolmogorovSmirnov(n));
  EXPECT_GE(*std::min_element(values.begin(), values.end()), -1);
  EXPECT_LE(*std::max_element(values.begin(), values.end()), 3);
  caffe::caffe_rng_gaussian<D>(n, D(1), D(0.5), values.data());
  EXPECT_LT(distance([](double x) { return 0.5 * std::erfc(-(x - 1) / 0.5 / std::sqrt(2.0)); }),
            tolerance::KolmogorovSmirnov(n));
  std::vector<int> bits(n);
  caffe::caffe_rng_bernoulli<D>(n, D(0.3), bits.data());
  double ones = 0;
  for (const int bit : bits) {
    ASSERT_TRUE(bit == 0 || bit == 1);
    ones += bit;
  }
  EXPECT_NEAR(ones / n, 0.3, tolerance::Correlation(n) * std::sqrt(0.3 * 0.7));
}

TYPED_TEST(MathFunctionsTest, RandomNumbersRepeatUnderASeed) {
  using D = TypeParam;
  std::vector<D> first(100), second(100);
  caffe::Caffe::set_random_seed(3);
  caffe::caffe_rng_gaussian<D>(100, D(0), D(1), first.data());
  caffe::caffe_rng_gaussian<D>(100, D(0), D(1), second.data());
  EXPECT_NE(first, second);
  caffe::Caffe::set_random_seed(3);
  caffe::caffe_rng_gaussian<D>(100, D(0), D(1), second.data());
  EXPECT_EQ(first, second);
}

}  // namespace
}  // namespace rxnn::testing
