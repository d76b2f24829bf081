#include "circuit/array_potentials.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <utility>
#include <vector>

#include "rxnn/circuit.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn::circuit {
namespace {

void ExpectNodeVoltages(int rows, int cols, const WireResistances& wires, int count, unsigned seed) {
  std::mt19937_64 engine(seed);
  std::uniform_real_distribution<double> decades(-6, -3), volt(-0.1, 0.3), uniform(0, 1);
  std::vector<double> g(rows * cols), volts(count * rows);
  for (double& value : g) value = uniform(engine) < 0.05 ? 0 : std::pow(10, decades(engine));
  for (double& value : volts) value = uniform(engine) < 0.2 ? 0 : volt(engine);
  std::vector<double> across(count * rows * cols);
  ArrayPotentials(rows, cols, wires, count).Solve(g.data(), volts.data(), across.data());

  std::vector<double> word(rows * cols), bit(rows * cols);
  for (int k = 0; k < count; ++k) {
    NodeVoltages(g.data(), rows, cols, wires, &volts[k * rows], word.data(), bit.data());
    for (int cell = 0; cell < rows * cols; ++cell) {
      EXPECT_NEAR(across[k * rows * cols + cell], word[cell] - bit[cell], tolerance::kConductanceRelative * 0.3)
          << "vector " << k << ", cell " << cell / cols << ", " << cell % cols;
    }
  }
}

TEST(ArrayPotentials, AgreeWithNodalAnalysis) {
  std::mt19937_64 engine(5);
  std::uniform_real_distribution<double> ohm(0, 5);
  for (const auto& [rows, cols] :
       {std::pair(1, 1), std::pair(1, 6), std::pair(6, 1), std::pair(9, 13), std::pair(17, 8)}) {
    for (const LineEnds driven : {LineEnds::kOne, LineEnds::kBoth, LineEnds::kAlternating}) {
      for (const LineEnds sensed : {LineEnds::kOne, LineEnds::kBoth, LineEnds::kAlternating}) {
        for (WireResistances wires : {WireResistances{500, 100, 2.5, 2.5},
                                      {0, 0, 2.5, 2.5},
                                      {0, 100, 0, 2.5},
                                      {500, 0, 2.5, 0},
                                      {0, 0, 0, 0},
                                      {1e5, 1e5, 1e3, 1e3}}) {
          wires.wordline_driven = driven;
          wires.bitline_sensed = sensed;
          if (rows == 9) {
            for (int j = 0; j + 1 < cols; ++j) wires.wordline_segments_ohm.push_back(j == 3 ? 0 : ohm(engine));
          }
          SCOPED_TRACE(testing::Message() << rows << " x " << cols << ", driven " << static_cast<int>(driven)
                                          << ", sensed " << static_cast<int>(sensed) << ", " << wires.source_ohm << " "
                                          << wires.sink_ohm << " " << wires.wordline_ohm << " " << wires.bitline_ohm);
          ExpectNodeVoltages(rows, cols, wires, 3, rows * cols);
        }
      }
    }
  }
}

TEST(ArrayPotentials, TakeAnyNumberOfVectors) {
  for (const int count : {1, 7, 8, 9, 20}) ExpectNodeVoltages(12, 11, {500, 100, 2.5, 2.5}, count, 3);
}

}  // namespace
}  // namespace rxnn::circuit
