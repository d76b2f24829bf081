#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <random>
#include <sstream>
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
    if (error > 0) worst = std::max(worst, error / std::abs(expected[i]));
    if (std::isnan(actual[i]) || std::isnan(expected[i])) return std::numeric_limits<double>::infinity();
  }
  return worst;
}

std::string Text(const WireResistances& wires) {
  std::ostringstream text;
  text << "source " << wires.source_ohm << ", sink " << wires.sink_ohm << ", word line " << wires.wordline_ohm
       << ", bit line " << wires.bitline_ohm << " ohm";
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

TEST(EquivalentConductance, OfOneCellIsASeriesCircuit) {
  const double g = 2e-5;
  const auto g_eq = Extract({g}, 1, 1, {500, 100, 2.5, 2.5});
  EXPECT_DOUBLE_EQ(g_eq[0], 1 / (1 / g + 600));
}

}  // namespace
}  // namespace rxnn
