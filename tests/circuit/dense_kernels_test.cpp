#include "circuit/dense_kernels.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include "tests/support/hwy_targets.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn::circuit {
namespace {

// Extended precision, so that the truth's own cancellation stays below the tolerance.
using Matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;
using Vector = Eigen::Matrix<long double, Eigen::Dynamic, 1>;

struct Problem {
  Matrix couplings;  // h, symmetric, diagonal 0
  Vector row_sums;   // e
  Matrix x;
};

// Couplings over `decades` decades, a third of them 0; row sums from 1 upwards.
Problem RandomProblem(int m, int count, double decades, std::mt19937_64& engine) {
  std::uniform_real_distribution<double> uniform(0, 1);
  Problem problem{Matrix::Zero(m, m), Vector(m), Matrix(m, count)};
  for (int p = 0; p < m; ++p) {
    problem.row_sums[p] = 1 + uniform(engine);
    for (int q = 0; q < p; ++q) {
      const double h = uniform(engine) < 0.33 ? 0 : std::pow(10, decades * (uniform(engine) - 0.5));
      problem.couplings(p, q) = problem.couplings(q, p) = h;
    }
    for (int k = 0; k < count; ++k) problem.x(p, k) = uniform(engine);
  }
  return problem;
}

Matrix Inverse(const Problem& problem) {
  Matrix a = -problem.couplings;
  a.diagonal() = problem.row_sums + problem.couplings.rowwise().sum();
  return a.llt().solve(Matrix::Identity(a.rows(), a.cols()));
}

void ExpectInverseAndProducts(const Problem& problem) {
  const int m = static_cast<int>(problem.couplings.rows());
  const int count = static_cast<int>(problem.x.cols());
  const std::ptrdiff_t stride = m + RoundUpToBlock(1 + count);
  std::vector<double> rows(m * stride), scratch(InvertAndApplyScratch(stride));
  for (int p = 0; p < m; ++p) {
    double* row = &rows[p * stride];
    // What the contract says is not read holds a value that would show.
    for (int q = 0; q < m; ++q) row[q] = q > p ? static_cast<double>(problem.couplings(p, q)) : 1e3;
    row[m] = static_cast<double>(problem.row_sums[p]);
    for (int k = 0; k < count; ++k) row[m + 1 + k] = static_cast<double>(problem.x(p, k));
  }
  InvertAndApply(rows.data(), m, count, stride, scratch.data());

  const Matrix inverse = Inverse(problem);
  const Matrix applied = inverse * problem.x;
  const auto expect_near = [](double actual, long double expected) {
    EXPECT_NEAR(actual, static_cast<double>(expected), tolerance::kPositiveRelative * static_cast<double>(expected));
  };
  for (int p = 0; p < m; ++p) {
    const double* row = &rows[p * stride];
    for (int q = p; q < m; ++q) expect_near(row[q], inverse(p, q));
    expect_near(row[m], 1);
    for (int k = 0; k < count; ++k) expect_near(row[m + 1 + k], applied(p, k));
  }
}

TEST(InvertAndApply, AgreesWithEigenOnEveryInstructionSet) {
  ForEachHwyTarget([] {
    std::mt19937_64 engine(1);
    for (const int m : {8, 16, 24, 32, 40, 72}) {
      for (const int count : {0, 1, 6, 7, 8, 23, 24, 30}) {
        SCOPED_TRACE(testing::Message() << m << " x " << m << ", " << count << " vectors");
        ExpectInverseAndProducts(RandomProblem(m, count, 1, engine));
      }
    }
  });
}

// All couplings h, all row sums 1: A = (1 + m h) 1 - h 11^T, whose inverse is (1 + h 11^T) / (1 + m h). A Cholesky
// factorisation in double precision loses ten of its sixteen digits at this h.
TEST(InvertAndApply, KeepsEveryEntryWhereTheMatrixIsNearlySingular) {
  constexpr int kSize = 24;
  constexpr double kCoupling = 1e10;
  constexpr std::ptrdiff_t kStride = kSize + kBlock;
  ForEachHwyTarget([&] {
    std::vector<double> rows(kSize * kStride, kCoupling), scratch(InvertAndApplyScratch(kStride));
    for (int p = 0; p < kSize; ++p) rows[p * kStride + kSize] = 1;
    InvertAndApply(rows.data(), kSize, 0, kStride, scratch.data());
    for (int p = 0; p < kSize; ++p) {
      for (int q = p; q < kSize; ++q) {
        const double expected = ((p == q) + kCoupling) / (1 + kSize * kCoupling);
        EXPECT_NEAR(rows[p * kStride + q], expected, tolerance::kPositiveRelative * expected);
      }
    }
  });
}

TEST(AddTransposedProduct, AgreesWithEigenOnEveryInstructionSet) {
  ForEachHwyTarget([] {
    std::mt19937_64 engine(2);
    std::uniform_real_distribution<double> uniform(0, 1);
    for (const auto& [depth, rows, cols] : {std::tuple(8, 8, 8), {16, 8, 40}, {40, 24, 32}}) {
      constexpr int kPad = 3;  // strides that are no multiple of anything
      std::vector<double> f(depth * (rows + kPad)), e(depth * (cols + kPad)), c(rows * (cols + kPad));
      for (auto* numbers : {&f, &e, &c}) {
        for (double& x : *numbers) x = uniform(engine);
      }
      const std::vector<double> before = c;
      AddTransposedProduct(f.data(), rows + kPad, e.data(), cols + kPad, depth, rows, cols, c.data(), cols + kPad);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < cols + kPad; ++j) {
          long double expected = before[i * (cols + kPad) + j];
          for (int k = 0; j < cols && k < depth; ++k) {
            expected += static_cast<long double>(f[k * (rows + kPad) + i]) * e[k * (cols + kPad) + j];
          }
          EXPECT_NEAR(c[i * (cols + kPad) + j], static_cast<double>(expected),
                      tolerance::kPositiveRelative * static_cast<double>(expected));
        }
      }
    }
  });
}

}  // namespace
}  // namespace rxnn::circuit
