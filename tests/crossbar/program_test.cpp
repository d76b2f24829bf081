// Programming: levels, reports, chips, progress; and what is refused.
#include <gtest/gtest.h>
#include <omp.h>

#include <cmath>
#include <limits>
#include <stdexcept>
#include <vector>

#include "rxnn/circuit.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/device.hpp"
#include "tests/crossbar/crossbar_problem.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

Hardware SmallArrays() {
  Hardware hardware;
  hardware.rows = 12;
  hardware.cols = 10;
  return hardware;
}

std::vector<float> ProgramLevels(const Hardware& hardware, const Problem& problem, const char* name = "layer") {
  CrossbarMatrix matrix(hardware, name, problem.groups, problem.inputs, problem.outputs);
  matrix.Program(problem.weights.data());
  return LevelsOf(matrix);
}

TEST(Program, LevelsAreDigitsOnIdealHardware) {
  for (const SignedWeights scheme : {SignedWeights::kDifferential, SignedWeights::kOffset}) {
    Hardware hardware = SmallArrays();
    hardware.wires = WireResistances();
    hardware.signed_weights = scheme;
    const Problem problem(hardware, 2, 30, 23, 1, false, 2);
    const std::vector<float> levels = ProgramLevels(hardware, problem);
    const WeightCodes w = QuantizeWeights(hardware, problem.weights.data(), 2 * 23, 30);
    std::size_t i = 0;
    for (int group = 0; group < 2; ++group) {
      for (int polarity = 0; polarity < hardware.num_polarities(); ++polarity) {
        for (int slice = 0; slice < hardware.num_slices(); ++slice) {
          for (int k = 0; k < 30; ++k) {
            for (int n = 0; n < 23; ++n, ++i) {
              ASSERT_EQ(levels[i], WeightDigit(hardware, w.codes[(group * 23 + n) * 30 + k], slice, polarity));
            }
          }
        }
      }
    }
    ASSERT_EQ(i, levels.size());
  }
}

// One array, done by hand: digits of all cells, programmed, extracted, as levels.
TEST(Program, ExtractsTheWholeArrayWithUnusedCells) {
  Hardware hardware = SmallArrays();
  hardware.weight_bits = 3;
  hardware.cell_bits = 2;
  hardware.conductance_sigma = 0.1;
  const int inputs = 19;   // row tiles of 12 and 7
  const int outputs = 14;  // column tiles of 10 and 4
  const Problem problem(hardware, 1, inputs, outputs, 1, false, 2);
  const std::vector<float> levels = ProgramLevels(hardware, problem);
  const WeightCodes w = QuantizeWeights(hardware, problem.weights.data(), outputs, inputs);

  // The negative array of the tile at the lower right: id ((0*2 + 1)*2 + 1)*1*2 + 1.
  std::vector<std::uint16_t> digits(12 * 10, 0);
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 4; ++j) digits[i * 10 + j] = WeightDigit(hardware, w.codes[(10 + j) * inputs + 12 + i], 0, 1);
  }
  std::vector<double> g = ProgramCells(hardware, ChipRandom(hardware.seed, "layer"), 7, digits);
  EquivalentConductance(g.data(), 12, 10, hardware.wires, g.data());
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 4; ++j) {
      const double expected = (g[i * 10 + j] - hardware.g_off()) / hardware.g_step();
      ASSERT_FLOAT_EQ(levels[(inputs + 12 + i) * outputs + 10 + j], static_cast<float>(expected));
    }
  }
}

// Every array of a layer: its cells, put through the circuit, are its levels.
TEST(CellConductances, ExtractedAreTheLevels) {
  for (const SignedWeights scheme : {SignedWeights::kDifferential, SignedWeights::kOffset}) {
    Hardware hardware = SmallArrays();
    hardware.signed_weights = scheme;
    hardware.conductance_sigma = 0.1;
    hardware.stuck_on_rate = 0.02;
    const Problem problem(hardware, 2, 30, 23, 1, false, 2);
    CrossbarMatrix matrix(hardware, "layer", 2, 30, 23);
    matrix.Program(problem.weights.data());
    const std::vector<float> levels = LevelsOf(matrix);
    const TileGrid grid(hardware, 30, 23);
    std::size_t plane = 0;
    for (int group = 0; group < 2; ++group) {
      for (int polarity = 0; polarity < hardware.num_polarities(); ++polarity) {
        for (int slice = 0; slice < hardware.num_slices(); ++slice, ++plane) {
          for (int tile = 0; tile < grid.row_tiles * grid.col_tiles; ++tile) {
            const ArrayPlace place{group, tile / grid.col_tiles, tile % grid.col_tiles, slice, polarity};
            std::vector<double> g = matrix.CellConductances(problem.weights.data(), place);
            ASSERT_EQ(g.size(), 12u * 10u);
            EquivalentConductance(g.data(), 12, 10, hardware.wires, g.data());
            for (int i = 0; i < grid.used_rows(place.row_tile); ++i) {
              for (int j = 0; j < grid.used_cols(place.col_tile); ++j) {
                const std::size_t level =
                    (plane * 30 + grid.first_row(place.row_tile) + i) * 23 + grid.first_col(place.col_tile) + j;
                const double expected = (g[i * 10 + j] - hardware.g_off()) / hardware.g_step();
                ASSERT_EQ(levels[level], static_cast<float>(expected));
              }
            }
          }
        }
      }
    }
  }
}

TEST(CellConductances, OfUnusedCellsAreThoseOfDigitZero) {
  const Hardware hardware = SmallArrays();
  const Problem problem(hardware, 1, 19, 14, 1, false, 2);  // row tiles of 12 and 7, column tiles of 10 and 4
  const CrossbarMatrix matrix(hardware, "layer", 1, 19, 14);
  const std::vector<double> g = matrix.CellConductances(problem.weights.data(), {0, 1, 1, 0, 0});
  for (int i = 0; i < 12; ++i) {
    for (int j = 0; j < 10; ++j) {
      if (i < 7 && j < 4) continue;
      EXPECT_EQ(g[i * 10 + j], hardware.g_off()) << i << ", " << j;
    }
  }
}

TEST(CellConductances, RefusesPlacesThatAreNotThere) {
  const Hardware hardware = SmallArrays();
  const Problem problem(hardware, 1, 19, 14, 1, false, 2);
  const CrossbarMatrix matrix(hardware, "layer", 1, 19, 14);
  for (const ArrayPlace& place : {ArrayPlace{1, 0, 0, 0, 0}, ArrayPlace{0, 2, 0, 0, 0}, ArrayPlace{0, 0, 2, 0, 0},
                                  ArrayPlace{0, 0, 0, 4, 0}, ArrayPlace{0, 0, 0, 0, 2}, ArrayPlace{0, -1, 0, 0, 0}}) {
    EXPECT_THROW(matrix.CellConductances(problem.weights.data(), place), std::invalid_argument);
  }
}

TEST(Program, Reports) {
  Hardware hardware = SmallArrays();
  const Problem problem(hardware, 2, 30, 23, 1, false, 2);
  CrossbarMatrix matrix(hardware, "layer", 2, 30, 23);
  const ProgramReport report = matrix.Program(problem.weights.data());
  EXPECT_EQ(report.tiles, 2 * 3 * 3);
  EXPECT_EQ(report.arrays, 2 * 3 * 3 * 4 * 2);
  EXPECT_DOUBLE_EQ(report.utilisation, 30.0 * 23 / (9 * 12 * 10));

  // The change of the cells, again from the levels.
  const std::vector<float> levels = LevelsOf(matrix);
  hardware.wires = WireResistances();
  const std::vector<float> nominal = ProgramLevels(hardware, problem);
  double sum = 0;
  double worst = 0;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    const double g = hardware.g_off() + nominal[i] * hardware.g_step();
    const double change = std::fabs(levels[i] - nominal[i]) * hardware.g_step() / g;
    sum += change;
    worst = std::max(worst, change);
  }
  // Levels are float32; off cells carry a tenth of an on cell's current.
  EXPECT_NEAR(report.mean_relative_change, sum / levels.size(), 100 * tolerance::kFloatEps);
  EXPECT_NEAR(report.worst_relative_change, worst, 100 * tolerance::kFloatEps);
  EXPECT_GT(report.mean_relative_change, 0);
}

// Small weights but for one column: the upper slices of most tiles hold nothing. What is shared must be what each array
// would have been by itself.
TEST(Program, SolvesArraysWithTheSameCellsOnce) {
  Hardware hardware = SmallArrays();
  const int inputs = 60, outputs = 32;  // the last column tile has two columns, the last row tile all rows
  Problem problem(hardware, 1, inputs, outputs, 1, false, 2);
  for (std::size_t i = 0; i < problem.weights.size(); ++i) {
    problem.weights[i] = i < inputs ? problem.weights[i] : std::copysign(0.01f, problem.weights[i]);
  }
  CrossbarMatrix matrix(hardware, "layer", 1, inputs, outputs);
  const ProgramReport report = matrix.Program(problem.weights.data());
  EXPECT_EQ(report.arrays, 5 * 4 * 4 * 2);
  EXPECT_LT(report.distinct_arrays, report.arrays / 2);
  EXPECT_GT(report.distinct_arrays, 10);

  const std::vector<float> levels = LevelsOf(matrix);
  // An invisible variation keeps every array by itself.
  hardware.conductance_sigma = 1e-12;
  CrossbarMatrix alone(hardware, "layer", 1, inputs, outputs);
  const ProgramReport alone_report = alone.Program(problem.weights.data());
  EXPECT_EQ(alone_report.distinct_arrays, alone_report.arrays);
  EXPECT_NEAR(report.mean_relative_change, alone_report.mean_relative_change, 1e-10);
  const std::vector<float> expected = LevelsOf(alone);
  for (std::size_t i = 0; i < levels.size(); ++i) EXPECT_NEAR(levels[i], expected[i], 1e-6) << i;
}

// Wires with segments of their own, both ends, level table, drift, faults and access transistors: by hand again.
TEST(Program, TakesEveryPropertyOfCellsAndWires) {
  Hardware hardware = SmallArrays();
  hardware.weight_bits = 3;
  hardware.level_siemens = {1e-6, 3e-6, 6e-6, 1e-5};
  hardware.level_sigma = {0.1, 0.02, 0.02, 0.05};
  hardware.drift_time_second = 1e4;
  hardware.drift_nu = 0.05;
  hardware.drift_nu_sigma = 0.01;
  hardware.faults = {{"layer", 6, 2, -1, 0}, {"other", -1, -1, -1, 1}};
  hardware.cell_type = CellType::kOneTOneR;
  hardware.wires.wordline_segments_ohm.assign(9, 3);
  hardware.wires.bitline_segments_ohm = {1, 2, 3, 4, 5, 6, 5, 4, 3, 2, 1};
  hardware.wires.wordline_driven = LineEnds::kBoth;
  hardware.wires.bitline_sensed = LineEnds::kAlternating;
  const int inputs = 19, outputs = 14;
  const Problem problem(hardware, 1, inputs, outputs, 1, false, 2);
  CrossbarMatrix matrix(hardware, "layer", 1, inputs, outputs);
  const ArrayPlace place{0, 1, 1, 0, 0};
  ASSERT_EQ(matrix.ArrayNumber(place), 6u);
  EXPECT_EQ(matrix.Program(problem.weights.data()).distinct_arrays, 8);
  const WeightCodes w = QuantizeWeights(hardware, problem.weights.data(), outputs, inputs);

  std::vector<std::uint16_t> digits(12 * 10, 0);
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 4; ++j) digits[i * 10 + j] = WeightDigit(hardware, w.codes[(10 + j) * inputs + 12 + i], 0, 0);
  }
  std::vector<double> g = ProgramCells(hardware, ChipRandom(hardware.seed, "layer"), 6, digits);
  for (int j = 0; j < 10; ++j) g[2 * 10 + j] = 0;
  AddAccessTransistors(hardware, 7, g.data());
  EXPECT_EQ(matrix.CellConductances(problem.weights.data(), place), g);
  EquivalentConductance(g.data(), 12, 10, hardware.wires, g.data());
  const std::vector<float> levels = LevelsOf(matrix);
  for (int i = 0; i < 7; ++i) {
    for (int j = 0; j < 4; ++j) {
      const double expected = (g[i * 10 + j] - 1e-6) / hardware.g_step();
      ASSERT_FLOAT_EQ(levels[(12 + i) * outputs + 10 + j], static_cast<float>(expected));
    }
  }
}

// Rows that are not used are switched off, so an all-off array at the edge is not the same as one in the middle.
TEST(Program, TellsArraysApartByTheirSelectedRows) {
  Hardware hardware = SmallArrays();
  hardware.cell_type = CellType::kOneTOneR;
  CrossbarMatrix matrix(hardware, "layer", 1, 19, 10);
  EXPECT_EQ(matrix.Program(std::vector<float>(190, 0.0f).data()).distinct_arrays, 2);
  hardware.cell_type = CellType::kOneR;
  CrossbarMatrix without(hardware, "layer", 1, 19, 10);
  EXPECT_EQ(without.Program(std::vector<float>(190, 0.0f).data()).distinct_arrays, 1);
}

TEST(CrossbarMatrix, RefusesFaultsOfArraysThatAreNotThere) {
  Hardware hardware = SmallArrays();
  hardware.faults = {{"fc", 16, 0, 0, 0}};
  EXPECT_NO_THROW(CrossbarMatrix(hardware, "other", 1, 12, 10));
  try {
    CrossbarMatrix(hardware, "fc", 1, 24, 10);
    FAIL() << "nothing was thrown";
  } catch (const HardwareError& error) {
    EXPECT_STREQ(error.what(), "fault: layer fc has 16 arrays, array 16 is not one of them (0 to 15)");
  }
}

TEST(Program, IdealHardwareChangesNothing) {
  Hardware hardware = SmallArrays();
  hardware.wires = WireResistances();
  const Problem problem(hardware, 1, 30, 23, 1, false, 2);
  CrossbarMatrix matrix(hardware, "layer", 1, 30, 23);
  const ProgramReport report = matrix.Program(problem.weights.data());
  EXPECT_EQ(report.mean_relative_change, 0);
  EXPECT_EQ(report.worst_relative_change, 0);
}

TEST(Program, SeedAndLayerNameTheChip) {
  Hardware hardware = SmallArrays();
  hardware.conductance_sigma = 0.1;
  hardware.stuck_on_rate = 0.01;
  const Problem problem(hardware, 1, 30, 23, 1, false, 2);
  const std::vector<float> levels = ProgramLevels(hardware, problem);
  const int threads = omp_get_max_threads();
  for (const int count : {1, 3}) {
    omp_set_num_threads(count);
    EXPECT_EQ(ProgramLevels(hardware, problem), levels) << count << " threads";
  }
  omp_set_num_threads(threads);
  EXPECT_NE(ProgramLevels(hardware, problem, "other"), levels);
  hardware.seed = 1;
  EXPECT_NE(ProgramLevels(hardware, problem), levels);
}

TEST(Load, GivesTheSameSumsToTheBit) {
  std::mt19937 engine(5);
  for (int i = 0; i < 12; ++i) {
    Hardware hardware = RandomScheme(engine);
    hardware.rows = std::min(hardware.rows, 20);
    hardware.cols = std::min(hardware.cols, 20);
    hardware.wires = {500, 100, 2.5, 2.5};
    hardware.adc_bits = i % 3 == 0 ? 0 : i % 3 == 1 ? 7 : 22;
    hardware.read_noise_sigma = i % 4 == 3 ? 0.01 : 0;
    const Problem problem(hardware, 2, 35, 33, 7, true, i);
    CrossbarMatrix programmed(hardware, "layer", 2, 35, 33);
    programmed.Program(problem.weights.data());
    CrossbarMatrix loaded(hardware, "layer", 2, 35, 33);
    const std::vector<float> levels = LevelsOf(programmed);
    loaded.Load(levels.data(), programmed.scales().data());
    EXPECT_EQ(LevelsOf(loaded), levels);
    EXPECT_EQ(loaded.scales(), programmed.scales());
    CrossbarMatrix borrowing(hardware, "layer", 2, 35, 33);
    borrowing.Borrow(levels.data(), programmed.scales().data());
    EXPECT_EQ(LevelsOf(borrowing), levels);
    for (int group = 0; group < 2; ++group) {
      EXPECT_EQ(problem.Multiply(loaded, group), problem.Multiply(programmed, group)) << hardware;
      EXPECT_EQ(problem.Multiply(borrowing, group), problem.Multiply(programmed, group)) << hardware;
    }
    // Weights of its own, after those of the caller.
    borrowing.Program(problem.weights.data());
    EXPECT_EQ(problem.Multiply(borrowing), problem.Multiply(programmed));
  }
}

TEST(Program, ProgressCountsUpAndMayStop) {
  Hardware hardware = SmallArrays();
  const Problem problem(hardware, 1, 30, 23, 1, false, 2);
  CrossbarMatrix matrix(hardware, "layer", 1, 30, 23);
  std::int64_t last = 0;
  const ProgramReport report = matrix.Program(problem.weights.data(), [&](std::int64_t done, std::int64_t total) {
    EXPECT_EQ(done, last + 1);
    EXPECT_EQ(total, 3 * 3 * 4 * 2);
    last = done;
  });
  EXPECT_EQ(last, report.arrays);

  const auto stop = [](std::int64_t done, std::int64_t total) {
    if (done == total - 3) throw std::runtime_error("stopped");
  };
  std::vector<float> other = problem.weights;
  for (float& weight : other) weight = -weight;
  EXPECT_THROW(matrix.Program(other.data(), stop), std::runtime_error);
  // Not half a chip: nothing is programmed any more.
  EXPECT_THROW(problem.Multiply(matrix), std::logic_error);
}

TEST(CrossbarMatrix, RefusesWhatCannotBe) {
  Hardware hardware = SmallArrays();
  EXPECT_THROW(CrossbarMatrix(hardware, "layer", 1, 0, 5), std::invalid_argument);
  EXPECT_THROW(CrossbarMatrix(hardware, "layer", 0, 5, 5), std::invalid_argument);
  EXPECT_THROW(CrossbarMatrix(hardware, "layer", 1, 5, -1), std::invalid_argument);
  Hardware impossible = hardware;
  impossible.rows = 0;
  EXPECT_THROW(CrossbarMatrix(impossible, "layer", 1, 5, 5), HardwareError);

  CrossbarMatrix matrix(hardware, "layer", 1, 5, 4);
  std::vector<float> levels(matrix.num_levels(), 0);
  std::vector<float> scales(4, 1);
  EXPECT_THROW(matrix.CopyLevels(levels.data()), std::logic_error);
  std::vector<float> weights(20, 0.5f);
  weights[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THROW(matrix.Program(weights.data()), std::invalid_argument);
  levels[3] = std::numeric_limits<float>::infinity();
  EXPECT_THROW(matrix.Load(levels.data(), scales.data()), std::invalid_argument);
  levels[3] = 0;
  matrix.Load(levels.data(), scales.data());

  std::vector<std::int32_t> codes(5, 1);
  std::vector<double> sums(4);
  EXPECT_THROW(matrix.Multiply(1, codes.data(), 1, false, 0, sums.data()), std::invalid_argument);
  EXPECT_THROW(matrix.Multiply(0, codes.data(), -1, false, 0, sums.data()), std::invalid_argument);
  codes[2] = -1;
  EXPECT_THROW(matrix.Multiply(0, codes.data(), 1, false, 0, sums.data()), std::invalid_argument);
  EXPECT_NO_THROW(matrix.Multiply(0, codes.data(), 1, true, 0, sums.data()));
  codes[2] = 256;
  EXPECT_THROW(matrix.Multiply(0, codes.data(), 1, true, 0, sums.data()), std::invalid_argument);
  EXPECT_THROW(matrix.OutputScale(4, 1), std::out_of_range);
}

// A second Program touches the arrays whose digits changed, and ends where a new matrix would.
TEST(Program, AgainProgramsOnlyWhatChanged) {
  for (const double sigma : {0.0, 0.05}) {
    Hardware hardware = SmallArrays();
    hardware.conductance_sigma = sigma;
    Problem problem(hardware, 1, 30, 23, 1, false, 4);
    CrossbarMatrix matrix(hardware, "layer", 1, 30, 23);
    const ProgramReport first = matrix.Program(problem.weights.data());
    EXPECT_EQ(first.programmed_arrays, first.arrays);
    EXPECT_EQ(matrix.Program(problem.weights.data()).programmed_arrays, 0);

    // One weight, its sign turned: its slices' arrays of both polarities, at most.
    float& weight = problem.weights[5 * 30 + 7];
    weight = weight == 0 ? 0.5f : -weight;
    const ProgramReport again = matrix.Program(problem.weights.data());
    EXPECT_GT(again.programmed_arrays, 0);
    EXPECT_LE(again.programmed_arrays, hardware.num_slices() * hardware.num_polarities());
    EXPECT_EQ(LevelsOf(matrix), ProgramLevels(hardware, problem));
    CrossbarMatrix fresh(hardware, "layer", 1, 30, 23);
    const ProgramReport whole = fresh.Program(problem.weights.data());
    EXPECT_EQ(again.mean_relative_change, whole.mean_relative_change);
    EXPECT_EQ(again.worst_relative_change, whole.worst_relative_change);
  }
}

// After a failure nothing is programmed, and the next Program is whole.
TEST(Program, AgainAfterAFailure) {
  const Hardware hardware = SmallArrays();
  const Problem problem(hardware, 1, 30, 23, 1, false, 4);
  CrossbarMatrix matrix(hardware, "layer", 1, 30, 23);
  matrix.Program(problem.weights.data());
  std::vector<float> other = problem.weights;
  for (float& weight : other) weight = -weight;
  const auto stop = [](std::int64_t done, std::int64_t) {
    if (done > 5) throw std::runtime_error("stop");
  };
  EXPECT_THROW(matrix.Program(other.data(), stop), std::runtime_error);
  EXPECT_THROW(LevelsOf(matrix), std::logic_error);
  const ProgramReport report = matrix.Program(problem.weights.data());
  EXPECT_EQ(report.programmed_arrays, report.arrays);
  EXPECT_EQ(LevelsOf(matrix), ProgramLevels(hardware, problem));
}

}  // namespace
}  // namespace rxnn
