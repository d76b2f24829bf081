// The non-linear array: Newton's method, and the linear array that stands for it.
#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "rxnn/circuit.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

IvCurve Sinh(double v0) {
  IvCurve curve;
  curve.kind = IvCurve::Kind::kSinh;
  curve.v0_volt = v0;
  return curve;
}

// A sharp knee at 0.1 V.
IvCurve Table() {
  IvCurve curve;
  curve.kind = IvCurve::Kind::kTable;
  curve.volt = {0.1, 0.2, 0.3};
  curve.value = {0.02, 0.15, 0.5};
  return curve;
}

struct Problem {
  int rows, cols, count;
  WireResistances wires;
  std::vector<double> g, volts;
  CellModel cell;

  Problem(int rows, int cols, int count, const WireResistances& wires, const IvCurve& curve, double g_scale = 1)
      : rows(rows), cols(cols), count(count), wires(wires) {
    std::mt19937_64 engine(3);
    std::uniform_real_distribution<double> decades(-6, -4), volt(0, 0.3);
    for (int i = 0; i < rows * cols; ++i) g.push_back(g_scale * std::pow(10, decades(engine)));
    for (int i = 0; i < rows * count; ++i) volts.push_back(i % 4 == 1 ? 0 : volt(engine));
    cell.curve = curve;
  }
};

struct Solution {
  std::vector<SolveSummary> summaries;
  std::vector<double> currents, word, bit;
};

Solution Solve(const Problem& p, const SolveOptions& options = {}) {
  Solution s;
  s.currents.resize(p.count * p.cols);
  s.word.resize(p.count * p.rows * p.cols);
  s.bit.resize(s.word.size());
  s.summaries = SolveArray(p.g.data(), p.rows, p.cols, p.wires, p.cell, p.volts.data(), p.count, options,
                           s.currents.data(), s.word.data(), s.bit.data());
  return s;
}

// I = V G_eq for all vectors.
std::vector<double> LinearCurrents(const Problem& p, const std::vector<double>& g) {
  std::vector<double> g_eq(g.size()), currents(p.count * p.cols, 0.0);
  EquivalentConductance(g.data(), p.rows, p.cols, p.wires, g_eq.data());
  for (int k = 0; k < p.count; ++k) {
    for (int i = 0; i < p.rows; ++i) {
      for (int j = 0; j < p.cols; ++j) currents[k * p.cols + j] += p.volts[k * p.rows + i] * g_eq[i * p.cols + j];
    }
  }
  return currents;
}

double LargestRelative(const std::vector<double>& actual, const std::vector<double>& expected) {
  double worst = 0;
  for (size_t i = 0; i < actual.size(); ++i) worst = std::max(worst, std::fabs(actual[i] / expected[i] - 1));
  return worst;
}

void ExpectConverged(const std::vector<SolveSummary>& summaries) {
  for (const SolveSummary& summary : summaries) EXPECT_TRUE(summary.converged) << summary.message;
}

TEST(IvCurve, HasTheSlopeOfItsCurrent) {
  for (const IvCurve& curve : {IvCurve(), Sinh(0.1), Table()}) {
    for (const double v : {-0.42, -0.25, -0.05, 0.03, 0.15, 0.29, 0.7}) {
      constexpr double kStep = 1e-6;
      const double slope = (curve.Current(v + kStep) - curve.Current(v - kStep)) / (2 * kStep);
      EXPECT_NEAR(curve.Slope(v), slope, 1e-8 * std::fabs(slope));
      EXPECT_EQ(curve.Current(-v), -curve.Current(v));
    }
    EXPECT_EQ(curve.Current(0), 0);
  }
  EXPECT_NEAR(Sinh(0.1).Current(0.2), 0.1 * std::sinh(2.0), tolerance::kPositiveRelative);
  EXPECT_NEAR(Table().Current(0.15), (0.02 + 0.15) / 2, tolerance::kPositiveRelative);
  EXPECT_NEAR(Table().Current(-0.5), -(0.5 + 2 * 0.35), tolerance::kPositiveRelative);
}

TEST(EvaluateCell, DividesTheVoltageBetweenDeviceAndSeriesResistance) {
  for (const IvCurve& curve : {IvCurve(), Sinh(0.02), Table()}) {
    for (const double v : {-0.4, -0.01, 0.0, 0.12, 0.3, 1.0}) {
      const CellPoint point = EvaluateCell(curve, 1e-4, 5e3, v);
      EXPECT_NEAR(point.device_volt + 5e3 * point.current, v, 1e-14);
      EXPECT_NEAR(point.current, 1e-4 * curve.Current(point.device_volt), 1e-18);
      constexpr double kStep = 1e-6;
      const double slope =
          (EvaluateCell(curve, 1e-4, 5e3, v + kStep).current - EvaluateCell(curve, 1e-4, 5e3, v - kStep).current) /
          (2 * kStep);
      EXPECT_NEAR(point.slope, slope, 1e-6 * slope) << v;
    }
  }
}

TEST(SolveArray, OfLinearCellsIsTheEquivalentConductance) {
  for (const WireResistances& wires :
       {WireResistances{500, 100, 2.5, 2.5}, {0, 0, 2.5, 2.5}, {500, 100, 1e-3, 1e-3}, {0, 0, 0, 0}}) {
    const Problem p(12, 9, 3, wires, IvCurve());
    const Solution s = Solve(p);
    ExpectConverged(s.summaries);
    EXPECT_LE(LargestRelative(s.currents, LinearCurrents(p, p.g)), tolerance::kConductanceRelative);
    EXPECT_LE(s.summaries[0].iterations, 4);
  }
}

// Kirchhoff's current law from the voltages, and what flows in flows out.
TEST(SolveArray, ConservesCurrent) {
  for (const IvCurve& curve : {Sinh(0.05), Table()}) {
    const Problem p(10, 13, 2, {500, 100, 3, 2}, curve, 10);
    const Solution s = Solve(p);
    ExpectConverged(s.summaries);
    for (int k = 0; k < p.count; ++k) {
      const double* u = &s.word[k * p.rows * p.cols];
      const double* w = &s.bit[k * p.rows * p.cols];
      const auto cell = [&](int i, int j) {
        const int at = i * p.cols + j;
        return p.g[at] * p.cell.curve.Current(u[at] - w[at]);
      };
      const double rounding = 32 * tolerance::kDoubleEps * 0.3 / 2;  // voltages up to 0.3 V over 2 ohm
      double in = 0, out = 0;
      for (int i = 0; i < p.rows; ++i) {
        in += (p.volts[k * p.rows + i] - u[i * p.cols]) / 500;
        for (int j = 0; j < p.cols; ++j) {
          const int at = i * p.cols + j;
          const double from_left = j == 0 ? (p.volts[k * p.rows + i] - u[at]) / 500 : (u[at - 1] - u[at]) / 3;
          const double to_right = j + 1 == p.cols ? 0 : (u[at] - u[at + 1]) / 3;
          EXPECT_NEAR(from_left - to_right, cell(i, j), rounding);
          const double from_above = i == 0 ? 0 : (w[at - p.cols] - w[at]) / 2;
          const double down = i + 1 == p.rows ? w[at] / 100 : (w[at] - w[at + p.cols]) / 2;
          EXPECT_NEAR(from_above + cell(i, j), down, rounding);
        }
      }
      for (int j = 0; j < p.cols; ++j) out += s.currents[k * p.cols + j];
      EXPECT_NEAR(in, out, rounding);
    }
  }
}

// The drop over a device behind a resistance, from a scalar equation.
TEST(SolveArray, OfOneCellIsASeriesCircuit) {
  Problem p(1, 1, 1, {3e3, 2e3, 0, 0}, Sinh(0.03));
  p.g = {1e-4};
  p.volts = {0.5};
  const Solution s = Solve(p);
  ExpectConverged(s.summaries);
  EXPECT_NEAR(s.currents[0], EvaluateCell(p.cell.curve, 1e-4, 5e3, 0.5).current, 1e-12 * s.currents[0]);
}

TEST(SolveArray, TakesSeriesResistances) {
  Problem p(6, 5, 1, {500, 100, 2.5, 2.5}, IvCurve());
  p.cell.series_ohm = {0, 1e3, 2e3, 1e4, 1e5, 1e9};
  std::vector<double> g = p.g;
  for (int i = 0; i < 6; ++i) {
    for (int j = 0; j < 5; ++j) g[i * 5 + j] = p.g[i * 5 + j] / (1 + p.g[i * 5 + j] * p.cell.series_ohm[i]);
  }
  const Solution s = Solve(p);
  ExpectConverged(s.summaries);
  EXPECT_LE(LargestRelative(s.currents, LinearCurrents(p, g)), tolerance::kConductanceRelative);
}

// Ten V0 across a cell: the current without wires would be hundreds of times that of a linear cell.
TEST(SolveArray, ConvergesFarFromTheLinearArray) {
  const Problem p(16, 16, 2, {500, 100, 2.5, 2.5}, Sinh(0.02), 10);
  const Solution s = Solve(p);
  ExpectConverged(s.summaries);
  EXPECT_GT(s.summaries[0].iterations, 3);
  EXPECT_GT(LargestRelative(s.currents, LinearCurrents(p, p.g)), 0.5);
}

TEST(SolveArray, IsTheSameForEveryThreadCount) {
  const Problem p(8, 6, 5, {500, 100, 2.5, 2.5}, Sinh(0.1));
  const int threads = omp_get_max_threads();
  omp_set_num_threads(1);
  const std::vector<double> expected = Solve(p).currents;
  omp_set_num_threads(3);
  EXPECT_EQ(Solve(p).currents, expected);
  omp_set_num_threads(threads);
}

TEST(SolveArray, SaysWhyItDidNotConverge) {
  const Problem p(8, 6, 1, {500, 100, 2.5, 2.5}, Sinh(0.02), 10);
  SolveOptions options;
  options.max_iterations = 2;
  const SolveSummary summary = Solve(p, options).summaries[0];
  EXPECT_FALSE(summary.converged);
  EXPECT_EQ(summary.iterations, 2);
  EXPECT_GT(summary.residual, 0);
  EXPECT_EQ(summary.message.rfind("did not converge: the iterations are used up after 2 iterations, imbalance ", 0), 0u)
      << summary.message;
}

// Under one vector every cell has one voltage, and the linear array with these chords is the non-linear one.
TEST(EffectiveConductance, OfOneVectorIsExact) {
  for (const IvCurve& curve : {Sinh(0.1), Sinh(0.03), Table()}) {
    for (const LineEnds ends : {LineEnds::kOne, LineEnds::kAlternating}) {
      Problem p(14, 9, 1, {500, 100, 2.5, 2.5}, curve);
      p.wires.wordline_driven = p.wires.bitline_sensed = ends;
      p.cell.series_ohm.assign(14, 1e3);
      const Solution s = Solve(p);
      ExpectConverged(s.summaries);
      std::vector<double> g_eff(p.g.size());
      const SolveSummary summary =
          EffectiveConductance(p.g.data(), p.rows, p.cols, p.wires, p.cell, p.volts.data(), 1, g_eff.data());
      ASSERT_TRUE(summary.converged) << summary.message;
      EXPECT_LE(LargestRelative(s.currents, LinearCurrents(p, g_eff)), 1e-6);  // ten times the change that is left
    }
  }
}

// Over several vectors it is a compromise, better than the slope at 0 V and worse than exact.
TEST(EffectiveConductance, OfManyVectorsFitsThemAll) {
  Problem p(16, 12, 12, {500, 100, 2.5, 2.5}, Sinh(0.15));
  const Solution s = Solve(p);
  ExpectConverged(s.summaries);
  std::vector<double> g_eff = p.g;
  const SolveSummary summary =
      EffectiveConductance(g_eff.data(), p.rows, p.cols, p.wires, p.cell, p.volts.data(), p.count, g_eff.data());
  ASSERT_TRUE(summary.converged) << summary.message;
  const auto rms = [&](const std::vector<double>& currents) {
    double sum = 0;
    for (size_t i = 0; i < currents.size(); ++i) sum += std::pow(currents[i] / s.currents[i] - 1, 2);
    return std::sqrt(sum / currents.size());
  };
  const double fitted = rms(LinearCurrents(p, g_eff));
  EXPECT_LT(fitted, 0.4 * rms(LinearCurrents(p, p.g)));
  EXPECT_GT(fitted, 1e-4);
}

TEST(EffectiveConductance, OfLinearCellsIsTheCells) {
  const Problem p(7, 5, 2, {500, 100, 2.5, 2.5}, IvCurve());
  std::vector<double> g_eff(p.g.size());
  const SolveSummary summary =
      EffectiveConductance(p.g.data(), p.rows, p.cols, p.wires, p.cell, p.volts.data(), p.count, g_eff.data());
  EXPECT_TRUE(summary.converged);
  EXPECT_EQ(summary.iterations, 1);
  EXPECT_LE(LargestRelative(g_eff, p.g), tolerance::kPositiveRelative);
}

TEST(EffectiveConductance, RefusesWhatCannotBe) {
  Problem p(3, 2, 1, {500, 100, 2.5, 2.5}, Sinh(0));
  std::vector<double> out(p.g.size());
  const auto message = [&](int count) {
    try {
      EffectiveConductance(p.g.data(), p.rows, p.cols, p.wires, p.cell, p.volts.data(), count, out.data());
    } catch (const std::invalid_argument& error) {
      return std::string(error.what());
    }
    return std::string("no error");
  };
  EXPECT_EQ(message(1), "curve_v0_volt: 0 is out of range, allowed is above 0");
  p.cell.curve = Table();
  p.cell.curve.value = {0.02, 0.15};
  EXPECT_EQ(message(1),
            "curve_volt and curve_ampere: 3 and 2 values, expected as many of one as of the other, at least 1");
  p.cell.curve.value = {0.02, 0.15, 0.15};
  EXPECT_EQ(message(1), "curve_ampere[2]: 0.15 must be finite and above the one before, 0.15");
  p.cell.curve = Sinh(0.1);
  EXPECT_EQ(message(0),
            "effective conductances of 3 x 2 cells under 0 input vectors: expected at least 1 vector and at most 512 "
            "rows and columns");
  p.cell.series_ohm = {1, 2};
  EXPECT_EQ(message(1), "series resistances: 2 values, expected one for each of 3 rows");
  p.cell.series_ohm.clear();
  p.volts[1] = std::nan("");
  EXPECT_EQ(message(1), "voltage of row 1: nan, expected a finite number");
}

}  // namespace
}  // namespace rxnn
