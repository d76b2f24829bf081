#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "rxnn/circuit.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

// Cells of 1 kohm to 1 Mohm, every twentieth 0 S.
std::vector<double> RandomCells(int count, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> decades(-6, -3), uniform(0, 1);
  std::vector<double> g(count);
  for (double& value : g) value = uniform(engine) < 0.05 ? 0 : std::pow(10, decades(engine));
  return g;
}

std::vector<double> Extract(const std::vector<double>& g, int rows, int cols, const WireResistances& wires) {
  std::vector<double> g_eq(g.size());
  EquivalentConductance(g.data(), rows, cols, wires, g_eq.data());
  return g_eq;
}

std::vector<double> Reference(const std::vector<double>& g, int rows, int cols, const WireResistances& wires) {
  std::vector<double> g_eq(g.size());
  EquivalentConductanceReference(g.data(), rows, cols, wires, g_eq.data());
  return g_eq;
}

double WorstRelative(const std::vector<double>& actual, const std::vector<double>& expected) {
  double worst = 0;
  for (size_t i = 0; i < actual.size(); ++i) {
    const double error = std::abs(actual[i] - expected[i]);
    if (std::isnan(error)) return std::numeric_limits<double>::infinity();
    if (error > tolerance::kConductanceFloor) worst = std::max(worst, error / std::abs(expected[i]));
  }
  return worst;
}

std::string Text(const WireResistances& wires) {
  std::ostringstream text;
  const char* const ends[] = {"one end", "both ends", "alternating ends"};
  text << "source " << wires.source_ohm << ", sink " << wires.sink_ohm << ", word line " << wires.wordline_ohm
       << (wires.wordline_segments_ohm.empty() ? "" : " (a list)") << ", bit line " << wires.bitline_ohm
       << (wires.bitline_segments_ohm.empty() ? "" : " (a list)") << " ohm, driven at "
       << ends[static_cast<int>(wires.wordline_driven)] << ", sensed at "
       << ends[static_cast<int>(wires.bitline_sensed)];
  return text.str();
}

// Every resistance in turn 0, tiny or large; some or all of them together.
std::vector<WireResistances> WireCases() {
  const WireResistances usual{500, 100, 2.5, 2.5};
  std::vector<WireResistances> cases{
      usual,          {0, 0, 0, 0},     {500, 0, 0, 0},       {0, 100, 0, 0},          {0, 0, 2.5, 0},
      {0, 0, 0, 2.5}, {0, 0, 2.5, 2.5}, {1e6, 1e6, 1e6, 1e6}, {1e-3, 1e-3, 1e-3, 1e-3}};
  for (const auto field : {&WireResistances::source_ohm, &WireResistances::sink_ohm, &WireResistances::wordline_ohm,
                           &WireResistances::bitline_ohm}) {
    for (const double ohm : {0.0, 1e-3, 1e6}) {
      cases.push_back(usual);
      cases.back().*field = ohm;
    }
  }
  return cases;
}

constexpr LineEnds kEnds[] = {LineEnds::kOne, LineEnds::kBoth, LineEnds::kAlternating};

// Segments around 2.5 ohm, each its own, every fifth 0.
std::vector<double> RandomSegments(int count, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> ohm(0, 5), uniform(0, 1);
  std::vector<double> segments(count);
  for (double& value : segments) value = uniform(engine) < 0.2 ? 0 : ohm(engine);
  return segments;
}

class Shapes : public testing::TestWithParam<std::pair<int, int>> {};

TEST_P(Shapes, AgreeWithNodalAnalysis) {
  const auto [rows, cols] = GetParam();
  const auto g = RandomCells(rows * cols, 7);
  for (const WireResistances& wires : WireCases()) {
    EXPECT_LE(WorstRelative(Extract(g, rows, cols, wires), Reference(g, rows, cols, wires)),
              tolerance::kConductanceRelative)
        << Text(wires);
  }
}

TEST_P(Shapes, AgreeWithNodalAnalysisForAllEnds) {
  const auto [rows, cols] = GetParam();
  const auto g = RandomCells(rows * cols, 13);
  for (WireResistances wires : WireCases()) {
    for (const LineEnds driven : kEnds) {
      for (const LineEnds sensed : kEnds) {
        wires.wordline_driven = driven;
        wires.bitline_sensed = sensed;
        EXPECT_LE(WorstRelative(Extract(g, rows, cols, wires), Reference(g, rows, cols, wires)),
                  tolerance::kConductanceRelative)
            << Text(wires);
      }
    }
  }
}

TEST_P(Shapes, AgreeWithNodalAnalysisForSegmentsThatDiffer) {
  const auto [rows, cols] = GetParam();
  const auto g = RandomCells(rows * cols, 14);
  WireResistances wires{500, 100, 2.5, 2.5};
  for (const int lists : {1, 2, 3}) {
    wires.wordline_segments_ohm = lists & 1 ? RandomSegments(cols - 1, 1) : std::vector<double>();
    wires.bitline_segments_ohm = lists & 2 ? RandomSegments(rows - 1, 2) : std::vector<double>();
    for (const LineEnds driven : kEnds) {
      for (const LineEnds sensed : kEnds) {
        wires.wordline_driven = driven;
        wires.bitline_sensed = sensed;
        EXPECT_LE(WorstRelative(Extract(g, rows, cols, wires), Reference(g, rows, cols, wires)),
                  tolerance::kConductanceRelative)
            << Text(wires);
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(EquivalentConductance, Shapes,
                         testing::Values(std::pair(1, 1), std::pair(1, 9), std::pair(9, 1), std::pair(2, 3),
                                         std::pair(7, 17), std::pair(8, 8), std::pair(16, 16), std::pair(17, 33),
                                         std::pair(33, 17)),
                         [](const auto& info) {
                           return std::to_string(info.param.first) + "x" + std::to_string(info.param.second);
                         });

TEST(EquivalentConductance, AgreesWithNodalAnalysisAtFullSize) {
  const WireResistances wires{500, 100, 2.5, 2.5};
  for (const auto& [rows, cols] : {std::pair(64, 64), std::pair(20, 70)}) {
    const auto g = RandomCells(rows * cols, 11);
    EXPECT_LE(WorstRelative(Extract(g, rows, cols, wires), Reference(g, rows, cols, wires)),
              tolerance::kConductanceRelative);
  }
}

TEST(EquivalentConductance, AgreesWithNodalAnalysisForEveryRatioOfCells) {
  constexpr int kSize = 20;
  for (const double ratio : {10.0, 1e3, 1e6}) {
    std::mt19937_64 engine(15);
    std::uniform_real_distribution<double> decades(-4 - std::log10(ratio), -4);
    std::vector<double> g(kSize * kSize);
    for (double& value : g) value = std::pow(10, decades(engine));
    for (const double ohm : {0.0, 1e-3, 2.5, 100.0}) {
      const WireResistances wires{500, 100, ohm, ohm};
      EXPECT_LE(WorstRelative(Extract(g, kSize, kSize, wires), Reference(g, kSize, kSize, wires)),
                tolerance::kConductanceRelative)
          << "on/off " << ratio << ", " << Text(wires);
    }
  }
}

TEST(EquivalentConductance, OfOneCellIsASeriesCircuit) {
  constexpr double kCell = 2e-5;
  const auto g_eq = Extract({kCell}, 1, 1, {500, 100, 2.5, 2.5});
  EXPECT_NEAR(g_eq[0], 1 / (1 / kCell + 600), tolerance::kPositiveRelative * kCell);
}

// Without word-line and source resistance the bit lines do not see each other; with segments of 0 ohm too, a bit line
// is its cells in parallel behind R_sink.
TEST(EquivalentConductance, OfBitLinesWithSinksIsADivider) {
  constexpr int kRows = 5;
  constexpr int kCols = 3;
  constexpr double kSink = 700;
  const auto g = RandomCells(kRows * kCols, 5);
  const auto g_eq = Extract(g, kRows, kCols, {0, kSink, 0, 0});
  for (int j = 0; j < kCols; ++j) {
    double sum = 0;
    for (int i = 0; i < kRows; ++i) sum += g[i * kCols + j];
    for (int i = 0; i < kRows; ++i) {
      const double expected = g[i * kCols + j] / (1 + kSink * sum);
      EXPECT_NEAR(g_eq[i * kCols + j], expected, tolerance::kPositiveRelative * expected);
    }
  }
}

TEST(EquivalentConductance, WithoutResistancesIsTheCells) {
  const auto g = RandomCells(12 * 7, 6);
  EXPECT_EQ(Extract(g, 12, 7, {0, 0, 0, 0}), g);
}

TEST(EquivalentConductance, MayOverwriteTheCells) {
  const WireResistances wires{500, 100, 2.5, 2.5};
  for (const auto& [rows, cols] : {std::pair(9, 5), std::pair(5, 9)}) {
    auto g = RandomCells(rows * cols, 10);
    const auto expected = Extract(g, rows, cols, wires);
    EquivalentConductance(g.data(), rows, cols, wires, g.data());
    EXPECT_EQ(g, expected);
  }
}

TEST(EquivalentConductanceBatch, IsTheSameForEveryThreadCount) {
  constexpr int kCount = 7;
  constexpr int kRows = 9;
  constexpr int kCols = 12;
  constexpr int kCells = kRows * kCols;
  const WireResistances wires{500, 100, 2.5, 2.5};
  const auto g = RandomCells(kCount * kCells, 12);
  std::vector<double> expected(g.size());
  for (int k = 0; k < kCount; ++k) EquivalentConductance(&g[k * kCells], kRows, kCols, wires, &expected[k * kCells]);

  const int threads_before = omp_get_max_threads();
  for (const int threads : {1, 2, 5}) {
    omp_set_num_threads(threads);
    std::vector<double> g_eq(g.size());
    EquivalentConductanceBatch(g.data(), kCount, kRows, kCols, wires, g_eq.data());
    EXPECT_EQ(g_eq, expected) << threads << " threads";
  }
  omp_set_num_threads(threads_before);
}

TEST(EquivalentConductanceBatch, OfNoArraysDoesNothing) {
  EXPECT_NO_THROW(EquivalentConductanceBatch(nullptr, 0, 4, 4, {}, nullptr));
}

using Extraction = void (*)(const double*, int, int, const WireResistances&, double*);

std::string MessageOf(Extraction extract, std::vector<double> g, int rows, int cols, const WireResistances& wires) {
  try {
    extract(g.data(), rows, cols, wires, g.data());
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

TEST(EquivalentConductance, RefusesWhatCannotBe) {
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const std::vector<double> g(6, 1e-5);
  for (const Extraction extract : {&EquivalentConductance, &EquivalentConductanceReference}) {
    EXPECT_EQ(MessageOf(extract, g, 0, 6, {}), "array: 0 x 6 cells, allowed are 1 to 4096 rows and columns");
    EXPECT_EQ(MessageOf(extract, g, 2, 4097, {}), "array: 2 x 4097 cells, allowed are 1 to 4096 rows and columns");
    EXPECT_EQ(MessageOf(extract, g, 2, 3, {-1, 0, 0, 0}), "r_source_ohm: -1 is out of range, allowed is 0 to 1e+15");
    EXPECT_EQ(MessageOf(extract, g, 2, 3, {0, kNan, 0, 0}), "r_sink_ohm: nan is out of range, allowed is 0 to 1e+15");
    EXPECT_EQ(MessageOf(extract, g, 2, 3, {0, 0, kInfinity, 0}),
              "r_wordline_ohm: inf is out of range, allowed is 0 to 1e+15");
    EXPECT_EQ(MessageOf(extract, g, 2, 3, {0, 0, 0, -2}), "r_bitline_ohm: -2 is out of range, allowed is 0 to 1e+15");
    WireResistances lists;
    lists.wordline_segments_ohm = {1, 2, 3};
    EXPECT_EQ(MessageOf(extract, g, 2, 3, lists), "r_wordline_segment_ohm: 3 segments, an array of this size has 2");
    lists.wordline_segments_ohm = {1, -2};
    EXPECT_EQ(MessageOf(extract, g, 2, 3, lists), "r_wordline_segment_ohm: -2 is out of range, allowed is 0 to 1e+15");
    lists.wordline_segments_ohm = {};
    lists.bitline_segments_ohm = {1, 2};
    EXPECT_EQ(MessageOf(extract, g, 2, 3, lists), "r_bitline_segment_ohm: 2 segments, an array of this size has 1");
    for (const auto& [value, text] : {std::pair(-1.0, "-1"), {kNan, "nan"}, {kInfinity, "inf"}}) {
      auto bad = g;
      bad[4] = value;
      EXPECT_EQ(MessageOf(extract, bad, 2, 3, {}),
                std::string("conductance of cell (1, 1): ") + text + " siemens is out of range, allowed is 0 to 1e+06");
    }
  }
}

TEST(EquivalentConductanceBatch, NamesTheArrayOfABadCell) {
  std::vector<double> g(12, 1e-5);
  g[11] = -1;
  try {
    EquivalentConductanceBatch(g.data(), 2, 2, 3, {}, g.data());
    FAIL() << "nothing was thrown";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(),
                 "conductance of cell (1, 2) of array 1: -1 siemens is out of range, allowed is 0 to 1e+06");
  }
}

// Far beyond any device, to the limits that are allowed.
TEST(EquivalentConductance, StaysFiniteAtTheLimits) {
  for (const double cell : {1e-300, 1e6}) {
    for (const double ohm : {1e-300, 1e15}) {
      for (const LineEnds ends : kEnds) {
        WireResistances wires{ohm, ohm, ohm, ohm};
        wires.wordline_driven = wires.bitline_sensed = ends;
        for (const double value : Extract(std::vector<double>(9 * 9, cell), 9, 9, wires)) {
          EXPECT_TRUE(value >= 0 && value <= cell * (1 + tolerance::kPositiveRelative))
              << value << " of cells of " << cell << " S, " << Text(wires);
        }
      }
    }
  }
}

TEST(EquivalentConductance, TakesTheSmallestResistancesAsNone) {
  const auto g = RandomCells(9 * 9, 13);
  EXPECT_EQ(Extract(g, 9, 9, {500, 100, 1e-300, 2.5}), Extract(g, 9, 9, {500, 100, 0, 2.5}));
}

}  // namespace
}  // namespace rxnn
