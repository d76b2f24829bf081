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

// S = (1 + G B)^-1 G, where B_pq is the voltage at node p per ampere into node q without cells: the resistance that
// their ways to ground share or, with a sense amplifier at both ends, what the divider between them makes of it.
Matrix DenseAdmittance(const BitLine& line) {
  std::vector<long double> near(line.m, line.sink_ohm), far(line.m, line.sink_ohm);
  for (int p = 1; p < line.m; ++p) near[p] = near[p - 1] + line.segments_ohm[p - 1];
  for (int p = line.m - 2; p >= 0; --p) far[p] = far[p + 1] + line.segments_ohm[p];
  Matrix a = Matrix::Identity(line.m, line.m), diagonal = Matrix::Zero(line.m, line.m);
  for (int p = 0; p < line.m; ++p) {
    diagonal(p, p) = line.g[p];
    for (int q = 0; q < line.m; ++q) {
      const int first = std::min(p, q), last = std::max(p, q);
      long double shared = line.near_sensed ? near[first] : far[last];
      const long double whole = near[0] + far[0];
      if (line.near_sensed && line.far_sensed) shared = whole > 0 ? near[first] * far[last] / whole : 0;
      a(p, q) += line.g[p] * shared;
    }
  }
  return a.partialPivLu().solve(diagonal);
}

void ExpectDenseAdmittance(const BitLine& line) {
  constexpr double kUnit = 3;
  constexpr double kBefore = 1e-4;
  const int m = line.m;
  const int stride = m + 3;
  std::vector<double> a(m * stride, kBefore), c(m), scratch(kBitLineScratch * m);
  AddBitLine(line, kUnit, a.data(), stride, c.data(), scratch.data());
  const Matrix s = DenseAdmittance(line);
  for (int p = 0; p < m; ++p) {
    const double transfer = static_cast<double>(s.row(p).sum());
    EXPECT_NEAR(c[p], transfer, tolerance::kPositiveRelative * transfer);
    for (int q = 0; q < stride; ++q) {
      const double coupling = q > p && q < m ? kUnit * static_cast<double>(-s(p, q)) : 0;
      EXPECT_NEAR(a[p * stride + q], kBefore + coupling, tolerance::kPositiveRelative * (kBefore + coupling));
    }
  }
}

TEST(AddBitLine, AgreesWithTheDenseInverse) {
  std::mt19937_64 engine(3);
  std::uniform_real_distribution<double> cell(1e-6, 1e-3), spread(0, 2);
  for (const int m : {1, 2, 7, 8, 9, 17, 40}) {
    std::vector<double> g(m), segments(m);
    for (double& value : g) value = cell(engine);
    for (const auto& [near, far] : {std::pair(true, false), {false, true}, {true, true}}) {
      for (const auto& [sink_ohm, bitline_ohm] :
           {std::pair(100.0, 2.5), {0.0, 2.5}, {100.0, 0.0}, {0.0, 0.0}, {2e3, 40.0}}) {
        SCOPED_TRACE(testing::Message() << m << " cells, sink " << sink_ohm << " ohm, segments " << bitline_ohm
                                        << " ohm, sensed near " << near << ", far " << far);
        for (double& ohm : segments) ohm = bitline_ohm * spread(engine);
        ExpectDenseAdmittance({m, g.data(), segments.data(), sink_ohm, near, far});
      }
    }
  }
}

}  // namespace
}  // namespace rxnn::circuit
