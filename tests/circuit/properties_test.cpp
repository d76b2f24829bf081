// What every circuit of resistances does, whatever its size, wires and ends.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <vector>

#include "rxnn/circuit.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

using Engine = std::mt19937_64;

double Uniform(Engine& engine, double low, double high) {
  return std::uniform_real_distribution<double>(low, high)(engine);
}
int Pick(Engine& engine, int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); }

// An array of random shape, cells, wires and ends. Sides are odd, so that alternating lines are the same seen from
// either side.
struct RandomArray {
  int rows, cols;
  std::vector<double> g;
  WireResistances wires;

  explicit RandomArray(Engine& engine) : rows(2 * Pick(engine, 0, 6) + 1), cols(2 * Pick(engine, 0, 6) + 1) {
    for (int i = 0; i < rows * cols; ++i) {
      g.push_back(Pick(engine, 0, 9) == 0 ? 0 : std::pow(10, Uniform(engine, -6, -3)));
    }
    const auto ohm = [&](double most) { return Pick(engine, 0, 5) == 0 ? 0 : Uniform(engine, 0, most); };
    wires.source_ohm = ohm(1e3);
    wires.sink_ohm = ohm(1e3);
    wires.wordline_ohm = ohm(20);
    wires.bitline_ohm = ohm(20);
    if (Pick(engine, 0, 1) == 0) {
      for (int j = 0; j + 1 < cols; ++j) wires.wordline_segments_ohm.push_back(ohm(20));
    }
    if (Pick(engine, 0, 1) == 0) {
      for (int i = 0; i + 1 < rows; ++i) wires.bitline_segments_ohm.push_back(ohm(20));
    }
    wires.wordline_driven = static_cast<LineEnds>(Pick(engine, 0, 2));
    wires.bitline_sensed = static_cast<LineEnds>(Pick(engine, 0, 2));
  }

  std::vector<double> Extract() const {
    std::vector<double> g_eq(g.size());
    EquivalentConductance(g.data(), rows, cols, wires, g_eq.data());
    return g_eq;
  }

  // By Newton's method, which knows nothing of G_eq.
  std::vector<double> Currents(const std::vector<double>& volts) const {
    std::vector<double> currents(cols);
    const auto summaries = SolveArray(g.data(), rows, cols, wires, CellModel(), volts.data(), 1, SolveOptions(),
                                      currents.data(), nullptr, nullptr);
    EXPECT_TRUE(summaries[0].converged) << summaries[0].message;
    return currents;
  }
};

class CircuitProperties : public testing::TestWithParam<unsigned> {
 protected:
  Engine engine_{GetParam()};
};

TEST_P(CircuitProperties, Superposition) {
  const RandomArray array(engine_);
  std::vector<double> a(array.rows), b(array.rows), both(array.rows);
  for (int i = 0; i < array.rows; ++i) {
    a[i] = Uniform(engine_, -0.3, 0.3);
    b[i] = Uniform(engine_, -0.3, 0.3);
    both[i] = 2 * a[i] - b[i];
  }
  const auto of_a = array.Currents(a), of_b = array.Currents(b), of_both = array.Currents(both);
  const auto g_eq = array.Extract();
  for (int j = 0; j < array.cols; ++j) {
    double sum = 0, magnitude = 0;
    for (int i = 0; i < array.rows; ++i) {
      sum += g_eq[i * array.cols + j] * both[i];
      magnitude += g_eq[i * array.cols + j];
    }
    EXPECT_NEAR(of_both[j], 2 * of_a[j] - of_b[j], tolerance::kConductanceRelative * magnitude);
    EXPECT_NEAR(of_both[j], sum, tolerance::kConductanceRelative * magnitude);
  }
}

// Exchanging drivers with sense amplifiers and word lines with bit lines transposes G_eq: the nearest cell stays
// nearest.
TEST_P(CircuitProperties, Reciprocity) {
  const RandomArray array(engine_);
  RandomArray mirrored = array;
  std::swap(mirrored.rows, mirrored.cols);
  std::swap(mirrored.wires.source_ohm, mirrored.wires.sink_ohm);
  std::swap(mirrored.wires.wordline_ohm, mirrored.wires.bitline_ohm);
  std::swap(mirrored.wires.wordline_segments_ohm, mirrored.wires.bitline_segments_ohm);
  std::swap(mirrored.wires.wordline_driven, mirrored.wires.bitline_sensed);
  for (auto* segments : {&mirrored.wires.wordline_segments_ohm, &mirrored.wires.bitline_segments_ohm}) {
    std::reverse(segments->begin(), segments->end());
  }
  const auto at = [&](int i, int j) { return (array.cols - 1 - j) * array.rows + (array.rows - 1 - i); };
  for (int i = 0; i < array.rows; ++i) {
    for (int j = 0; j < array.cols; ++j) mirrored.g[at(i, j)] = array.g[i * array.cols + j];
  }
  const auto g_eq = array.Extract(), mirrored_eq = mirrored.Extract();
  for (int i = 0; i < array.rows; ++i) {
    for (int j = 0; j < array.cols; ++j) {
      const double value = g_eq[i * array.cols + j];
      EXPECT_NEAR(value, mirrored_eq[at(i, j)],
                  10 * tolerance::kPositiveRelative * value + tolerance::kConductanceFloor);
    }
  }
}

// No entry is negative; with all rows at one voltage no column carries more than it would without wires; and the array
// gives no power away.
TEST_P(CircuitProperties, Passivity) {
  const RandomArray array(engine_);
  const auto g_eq = array.Extract();
  for (int j = 0; j < array.cols; ++j) {
    double sum = 0, ideal = 0;
    for (int i = 0; i < array.rows; ++i) {
      EXPECT_GE(g_eq[i * array.cols + j], 0);
      sum += g_eq[i * array.cols + j];
      ideal += array.g[i * array.cols + j];
    }
    EXPECT_LE(sum, ideal * (1 + tolerance::kPositiveRelative));
  }
}

// A resistance more anywhere lowers what all rows together, at one voltage, send to all columns: the array is then one
// resistor between two points (Rayleigh).
TEST_P(CircuitProperties, MonotonicityInEachResistance) {
  RandomArray array(engine_);
  const auto total = [&] {
    const auto g_eq = array.Extract();
    return std::accumulate(g_eq.begin(), g_eq.end(), 0.0);
  };
  const double before = total();
  const auto expect_less = [&](double& ohm, bool more) {
    const double was = ohm;
    ohm += 10;
    const double after = total();
    EXPECT_LE(after, before * (1 + tolerance::kPositiveRelative));
    if (more && before > 0) {
      EXPECT_LT(after, before);
    }
    ohm = was;
  };
  WireResistances& wires = array.wires;
  expect_less(wires.source_ohm, true);
  expect_less(wires.sink_ohm, true);
  // A segment may carry nothing.
  expect_less(wires.wordline_ohm, false);
  expect_less(wires.bitline_ohm, false);
  for (double& ohm : wires.wordline_segments_ohm) expect_less(ohm, false);
  for (double& ohm : wires.bitline_segments_ohm) expect_less(ohm, false);
}

// As all resistances go to 0, G_eq goes to the cells, the error in proportion.
TEST_P(CircuitProperties, LimitOfSmallResistances) {
  const RandomArray array(engine_);
  double last = 0;
  for (const double scale : {1e-3, 1e-5, 1e-7}) {
    RandomArray small = array;
    for (double* ohm :
         {&small.wires.source_ohm, &small.wires.sink_ohm, &small.wires.wordline_ohm, &small.wires.bitline_ohm}) {
      *ohm *= scale;
    }
    for (auto* segments : {&small.wires.wordline_segments_ohm, &small.wires.bitline_segments_ohm}) {
      for (double& ohm : *segments) ohm *= scale;
    }
    const auto g_eq = small.Extract();
    double error = 0;
    for (size_t i = 0; i < g_eq.size(); ++i) error = std::max(error, std::fabs(g_eq[i] - array.g[i]));
    if (last > 0) {
      EXPECT_NEAR(error, last / 100, 0.05 * last / 100 + tolerance::kPositiveRelative * 1e-3);
    }
    last = error;
  }
}

// What the drivers put in, the sense amplifiers take out, and cells and wires in between turn into heat what the
// drivers spend.
TEST_P(CircuitProperties, ConservationOfCurrentAndEnergy) {
  RandomArray array(engine_);
  // Resistances above 0: the currents of drivers are read off their voltages.
  for (double* ohm :
       {&array.wires.source_ohm, &array.wires.sink_ohm, &array.wires.wordline_ohm, &array.wires.bitline_ohm}) {
    *ohm += 1;
  }
  array.wires.wordline_segments_ohm.clear();
  array.wires.bitline_segments_ohm.clear();
  const WireResistances& wires = array.wires;
  const int rows = array.rows, cols = array.cols;
  std::vector<double> volts(rows), word(rows * cols), bit(rows * cols);
  for (double& v : volts) v = Uniform(engine_, -0.1, 0.3);
  NodeVoltages(array.g.data(), rows, cols, wires, volts.data(), word.data(), bit.data());

  double in = 0, out = 0, spent = 0, heat = 0;
  const auto drop = [&](double volt, double ohm) {
    heat += volt * volt / ohm;
    return volt / ohm;
  };
  const auto drive = [&](int i, int j) {
    const double current = drop(volts[i] - word[i * cols + j], wires.source_ohm);
    in += current;
    spent += volts[i] * current;
  };
  for (int i = 0; i < rows; ++i) {
    if (HasNearEnd(wires.wordline_driven, i)) drive(i, 0);
    if (HasFarEnd(wires.wordline_driven, i)) drive(i, cols - 1);
    for (int j = 0; j < cols; ++j) {
      const int cell = i * cols + j;
      heat += array.g[cell] * std::pow(word[cell] - bit[cell], 2);
      if (j + 1 < cols) drop(word[cell] - word[cell + 1], wires.wordline_ohm);
      if (i + 1 < rows) drop(bit[cell] - bit[cell + cols], wires.bitline_ohm);
    }
  }
  for (int j = 0; j < cols; ++j) {
    if (HasNearEnd(wires.bitline_sensed, j)) out += drop(bit[(rows - 1) * cols + j], wires.sink_ohm);
    if (HasFarEnd(wires.bitline_sensed, j)) out += drop(bit[j], wires.sink_ohm);
  }
  // Voltages are exact to a rounding of 0.3 V, which a resistance of 1 ohm turns into a current.
  const double rounding = 4 * (rows + cols) * tolerance::kDoubleEps * 0.3;
  EXPECT_NEAR(in, out, rounding);
  EXPECT_NEAR(spent, heat, rounding);
  EXPECT_GE(heat, 0);
}

INSTANTIATE_TEST_SUITE_P(Seeds, CircuitProperties, testing::Range(1u, 31u));

}  // namespace
}  // namespace rxnn
