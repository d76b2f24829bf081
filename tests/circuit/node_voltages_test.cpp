#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <utility>
#include <vector>

#include "rxnn/circuit.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

struct Nodes {
  std::vector<double> word, bit;
};

struct Circuit {
  int rows;
  int cols;
  WireResistances wires;
  std::vector<double> g, volts;

  Circuit(int rows, int cols, const WireResistances& wires) : rows(rows), cols(cols), wires(wires) {
    std::mt19937_64 engine(3);
    std::uniform_real_distribution<double> decades(-6, -4), volt(-0.1, 0.3);
    for (int i = 0; i < rows * cols; ++i) g.push_back(std::pow(10, decades(engine)));
    for (int i = 0; i < rows; ++i) volts.push_back(volt(engine));
  }

  Nodes Solve() const {
    Nodes nodes{g, g};
    NodeVoltages(g.data(), rows, cols, wires, volts.data(), nodes.word.data(), nodes.bit.data());
    return nodes;
  }
};

std::vector<WireResistances> WireCases() {
  return {{500, 100, 2.5, 2.5}, {0, 100, 2.5, 2.5}, {500, 0, 2.5, 2.5}, {500, 100, 0, 2.5},       {500, 100, 2.5, 0},
          {0, 0, 0, 0},         {0, 0, 0, 2.5},     {0, 100, 0, 0},     {1e-3, 1e-3, 1e-3, 1e-3}, {1e5, 1e5, 1e5, 1e5}};
}

// Kirchhoff's current law, node by node, from the drawing in docs/physics.md.
TEST(NodeVoltages, ConserveCurrentAtEveryNode) {
  const Circuit c(7, 11, {500, 100, 2.5, 3.5});
  const Nodes n = c.Solve();
  const auto at = [&](int i, int j) { return i * c.cols + j; };
  for (int i = 0; i < c.rows; ++i) {
    for (int j = 0; j < c.cols; ++j) {
      const double u = n.word[at(i, j)];
      const double w = n.bit[at(i, j)];
      const double cell = c.g[at(i, j)] * (u - w);
      const double from_left =
          j == 0 ? (c.volts[i] - u) / c.wires.source_ohm : (n.word[at(i, j - 1)] - u) / c.wires.wordline_ohm;
      const double to_right = j + 1 == c.cols ? 0 : (u - n.word[at(i, j + 1)]) / c.wires.wordline_ohm;
      const double from_above = i == 0 ? 0 : (n.bit[at(i - 1, j)] - w) / c.wires.bitline_ohm;
      const double downwards = i + 1 == c.rows ? w / c.wires.sink_ohm : (w - n.bit[at(i + 1, j)]) / c.wires.bitline_ohm;
      // Differences of voltages of up to 0.3 V over 2.5 ohm.
      const double rounding = 8 * tolerance::kDoubleEps * 0.3 / 2.5;
      EXPECT_NEAR(from_left - to_right, cell, rounding);
      EXPECT_NEAR(from_above + cell, downwards, rounding);
    }
  }
}

TEST(NodeVoltages, GiveTheCurrentsOfTheEquivalentConductance) {
  for (const WireResistances& wires : WireCases()) {
    for (const auto& [rows, cols] : {std::pair(1, 1), std::pair(9, 4), std::pair(4, 9), std::pair(24, 24)}) {
      const Circuit c(rows, cols, wires);
      const Nodes n = c.Solve();
      std::vector<double> g_eq(c.g.size());
      EquivalentConductance(c.g.data(), rows, cols, wires, g_eq.data());
      for (int j = 0; j < cols; ++j) {
        double from_nodes = 0, from_g_eq = 0, magnitude = 0;
        for (int i = 0; i < rows; ++i) {
          const int cell = i * cols + j;
          from_nodes += c.g[cell] * (n.word[cell] - n.bit[cell]);
          from_g_eq += g_eq[cell] * c.volts[i];
          magnitude += c.g[cell] * std::fabs(c.volts[i]);
        }
        EXPECT_NEAR(from_nodes, from_g_eq, tolerance::kConductanceRelative * magnitude);
      }
    }
  }
}

TEST(NodeVoltages, WithoutResistancesAreThoseOfTheTerminals) {
  const Circuit c(5, 3, {0, 0, 0, 0});
  const Nodes n = c.Solve();
  for (int i = 0; i < 5; ++i) {
    for (int j = 0; j < 3; ++j) {
      EXPECT_EQ(n.word[i * 3 + j], c.volts[i]);
      EXPECT_EQ(n.bit[i * 3 + j], 0);
    }
  }
}

TEST(NodeVoltages, RefuseWhatCannotBe) {
  Circuit c(3, 2, {500, 100, 2.5, 2.5});
  c.volts[1] = std::numeric_limits<double>::infinity();
  try {
    c.Solve();
    FAIL() << "nothing was thrown";
  } catch (const std::invalid_argument& error) {
    EXPECT_STREQ(error.what(), "voltage of row 1: inf, expected a finite number");
  }
  c.volts[1] = 0;
  c.g[3] = -1;
  EXPECT_THROW(c.Solve(), std::invalid_argument);
  c.g[3] = 1e-5;
  c.wires.sink_ohm = -1;
  EXPECT_THROW(c.Solve(), std::invalid_argument);
}

}  // namespace
}  // namespace rxnn
