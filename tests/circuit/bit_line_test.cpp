#include "circuit/bit_line.hpp"

#include <gtest/gtest.h>

#include <Eigen/Dense>
#include <algorithm>
#include <random>
#include <vector>

#include "tests/support/tolerance.hpp"

namespace rxnn::circuit {
namespace {

using Matrix = Eigen::Matrix<long double, Eigen::Dynamic, Eigen::Dynamic>;

// S = (1 + G B)^-1 G with B_pq = R_sink + R_bitline min(p, q), cells counted from the sink: the voltage at node p is
// the sum over the currents of all cells, each over the resistance that it shares with node p.
Matrix DenseAdmittance(const std::vector<double>& g, double sink_ohm, double bitline_ohm) {
  const int m = static_cast<int>(g.size());
  Matrix a = Matrix::Identity(m, m), diagonal = Matrix::Zero(m, m);
  for (int p = 0; p < m; ++p) {
    for (int q = 0; q < m; ++q) {
      a(p, q) += static_cast<long double>(g[p]) * (sink_ohm + static_cast<long double>(bitline_ohm) * std::min(p, q));
    }
    diagonal(p, p) = g[p];
  }
  return a.partialPivLu().solve(diagonal);
}

TEST(AddBitLine, AgreesWithTheDenseInverse) {
  std::mt19937_64 engine(3);
  std::uniform_real_distribution<double> cell(1e-6, 1e-3);
  constexpr double kUnit = 3;
  constexpr double kBefore = 1e-4;
  for (const int m : {1, 2, 7, 8, 9, 17, 40}) {
    for (const auto& [sink_ohm, bitline_ohm] :
         {std::pair(100.0, 2.5), {0.0, 2.5}, {100.0, 0.0}, {0.0, 0.0}, {1e4, 100.0}}) {
      SCOPED_TRACE(testing::Message() << m << " cells, sink " << sink_ohm << " ohm, segments " << bitline_ohm
                                      << " ohm");
      std::vector<double> g(m);
      for (double& value : g) value = cell(engine);
      const int stride = m + 3;
      std::vector<double> a(m * stride, kBefore), c(m), scratch(2 * m);
      AddBitLine(g.data(), m, sink_ohm, bitline_ohm, kUnit, a.data(), stride, c.data(), scratch.data());

      const Matrix s = DenseAdmittance(g, sink_ohm, bitline_ohm);
      for (int p = 0; p < m; ++p) {
        const double transfer = static_cast<double>(s.row(p).sum());
        EXPECT_NEAR(c[p], transfer, tolerance::kPositiveRelative * transfer);
        for (int q = 0; q < stride; ++q) {
          const double coupling = q > p && q < m ? kUnit * static_cast<double>(-s(p, q)) : 0;
          EXPECT_NEAR(a[p * stride + q], kBefore + coupling, tolerance::kPositiveRelative * (kBefore + coupling));
        }
      }
    }
  }
}

}  // namespace
}  // namespace rxnn::circuit
