// Groups that share arrays: where their weights sit, what becomes of the cells between them, and that sums stay those
// of every group alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <set>
#include <vector>

#include "rxnn/circuit.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "tests/crossbar/crossbar_problem.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

Hardware Packed(Hardware hardware) {
  hardware.group_packing = GroupPacking::kBlockDiagonal;
  return hardware;
}

Hardware SmallArrays() {
  Hardware hardware;
  hardware.rows = 24;
  hardware.cols = 12;
  return hardware;
}

// Weights of some groups and codes for all rows of every pack.
struct PackedProblem {
  Problem problem;  // whose weights are those of all groups
  GroupPacks packs;
  std::vector<std::int32_t> codes;  // [pack][vector][row]; rows that the last pack lacks have codes too, to no effect
  int count;
  bool has_negative;

  PackedProblem(const Hardware& hardware, int groups, int inputs, int outputs, int count, bool has_negative,
                unsigned seed)
      : problem(hardware, groups, inputs, outputs, 1, has_negative, seed),
        packs(hardware, groups, inputs, outputs),
        count(count),
        has_negative(has_negative) {
    std::mt19937 engine(seed + 1);
    const int most = hardware.max_input_code();
    std::uniform_int_distribution<std::int32_t> code(has_negative ? -most : 0, most);
    codes.resize(static_cast<std::size_t>(packs.count) * count * packs.pack_inputs());
    for (std::int32_t& c : codes) c = code(engine);
  }

  const std::int32_t* CodesOf(int pack) const {
    return codes.data() + static_cast<std::size_t>(pack) * count * packs.pack_inputs();
  }
  std::vector<double> Multiply(const CrossbarMatrix& matrix, int pack) const {
    std::vector<double> sums(static_cast<std::size_t>(count) * packs.pack_outputs(), -1);
    matrix.Multiply(pack, CodesOf(pack), count, has_negative, 7, sums.data());
    return sums;
  }
  std::vector<double> MultiplyReference(const CrossbarMatrix& matrix, int pack) const {
    std::vector<double> sums(static_cast<std::size_t>(count) * packs.pack_outputs(), -1);
    matrix.MultiplyReference(pack, CodesOf(pack), count, has_negative, 7, sums.data());
    return sums;
  }
  // The integer products of every group with its own codes.
  std::vector<double> IntegerProducts(const Hardware& hardware, int pack) const {
    const WeightCodes w = QuantizeWeights(hardware, problem.weights.data(), packs.groups * packs.outputs, packs.inputs);
    std::vector<double> sums(static_cast<std::size_t>(count) * packs.pack_outputs(), 0);
    for (int v = 0; v < count; ++v) {
      for (int col = 0; col < packs.groups_in(pack) * packs.outputs; ++col) {
        const int group_row = col / packs.outputs * packs.inputs;
        const std::int64_t channel = packs.first_group(pack) * packs.outputs + col;
        std::int64_t sum = 0;
        for (int k = 0; k < packs.inputs; ++k) {
          sum += static_cast<std::int64_t>(w.codes[channel * packs.inputs + k]) *
                 CodesOf(pack)[v * packs.pack_inputs() + group_row + k];
        }
        sums[v * packs.pack_outputs() + col] = static_cast<double>(sum);
      }
    }
    return sums;
  }
};

// A random shape of which several groups fit on one array, most often.
PackedProblem RandomProblem(const Hardware& hardware, std::mt19937& engine, int count, bool has_negative) {
  const auto pick = [&engine](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
  const int inputs = pick(1, std::max(hardware.rows / 2, 1));
  const int outputs = pick(1, std::max(hardware.cols / 4, 1));
  return PackedProblem(hardware, pick(2, 9), inputs, outputs, count, has_negative, static_cast<unsigned>(pick(0, 999)));
}

class PackingIdentity : public testing::TestWithParam<unsigned> {};

TEST_P(PackingIdentity, SumsAreTheIntegerProductsOfEveryGroup) {
  std::mt19937 engine(GetParam());
  int shared = 0;
  for (int i = 0; i < 16; ++i) {
    Hardware hardware = Packed(RandomScheme(engine));
    if (i % 2 == 1) {  // converters that tell levels apart, where there are such
      const CurrentRange range = FullScale(hardware);
      for (hardware.adc_bits = 1; hardware.adc_bits < 24; ++hardware.adc_bits) {
        if (Adc(hardware.adc_bits, range.min, range.max).lsb < 1) break;
      }
    }
    const PackedProblem problem = RandomProblem(hardware, engine, 1 + i, i % 3 == 0);
    CrossbarMatrix matrix(hardware, "layer", problem.packs.groups, problem.packs.inputs, problem.packs.outputs);
    matrix.Program(problem.problem.weights.data());
    shared += problem.packs.shared();
    for (int pack = 0; pack < problem.packs.count; ++pack) {
      const std::vector<double> expected = problem.IntegerProducts(hardware, pack);
      ASSERT_EQ(problem.Multiply(matrix, pack), expected) << hardware << ", pack " << pack;
      ASSERT_EQ(problem.MultiplyReference(matrix, pack), expected) << hardware << ", pack " << pack;
    }
  }
  EXPECT_GT(shared, 4);
}

INSTANTIATE_TEST_SUITE_P(Seeds, PackingIdentity, testing::Range(1u, 5u));

// Every kind of reader on flawed arrays, the last of which is not full.
TEST(Packing, MultipliesAsTheReferenceDoes) {
  std::vector<Hardware> chips;
  for (const SignedWeights scheme : {SignedWeights::kDifferential, SignedWeights::kOffset}) {
    Hardware chip = Packed(SmallArrays());
    chip.signed_weights = scheme;
    chip.wires = {5000, 1000, 250, 250};
    chips.push_back(chip);  // whole-number codes
    chip.adc_bits = 0;
    chips.push_back(chip);  // folded
    chip.adc_bits = 7;
    chip.conductance_sigma = 0.1;
    chip.read_noise_sigma = 0.05;
    chip.dac_flaws.offset_volt = 0.01;
    chip.dac_flaws.dnl_sigma_lsb = 0.1;
    chip.dac_flaws.noise_sigma_volt = 0.002;
    chip.adc_flaws.gain_sigma = 0.02;
    chip.adc_flaws.noise_sigma_lsb = 0.3;
    chip.cell_type = CellType::kOneTOneR;
    chips.push_back(chip);  // current by current
  }
  for (const Hardware& chip : chips) {
    const PackedProblem problem(chip, 7, 6, 2, 5, true, 3);  // 4 and 3 groups
    ASSERT_EQ(problem.packs.together, 4);
    CrossbarMatrix matrix(chip, "layer", 7, 6, 2);
    matrix.Program(problem.problem.weights.data());
    for (int pack = 0; pack < 2; ++pack) {
      matrix.ResetConversionCounts();
      const std::vector<double> sums = problem.Multiply(matrix, pack);
      const ConversionCounts fast = matrix.conversion_counts();
      matrix.ResetConversionCounts();
      const std::vector<double> reference = problem.MultiplyReference(matrix, pack);
      const ConversionCounts slow = matrix.conversion_counts();
      ASSERT_EQ(fast.conversions, slow.conversions) << chip;
      ASSERT_EQ(fast.high, slow.high) << chip;
      ASSERT_NE(sums, problem.IntegerProducts(chip, pack)) << chip;
      double magnitude = 0;
      for (const double sum : reference) magnitude = std::max(magnitude, std::fabs(sum));
      for (std::size_t i = 0; i < sums.size(); ++i) {
        ASSERT_NEAR(sums[i], reference[i], tolerance::SumTolerance(24, 24 * magnitude)) << chip << ", sum " << i;
      }
    }
  }
}

// Every weight sits in one cell of the array that its number names, and all other cells are at g_off.
TEST(Packing, PutsEveryWeightOnTheDiagonalOnce) {
  std::mt19937 engine(5);
  for (int i = 0; i < 20; ++i) {
    Hardware hardware = Packed(RandomScheme(engine));
    const PackedProblem problem = RandomProblem(hardware, engine, 1, false);
    const GroupPacks& packs = problem.packs;
    CrossbarMatrix matrix(hardware, "layer", packs.groups, packs.inputs, packs.outputs);
    const ProgramReport report = matrix.Program(problem.problem.weights.data());
    ASSERT_EQ(report.arrays, static_cast<std::int64_t>(packs.count) * hardware.num_slices() *
                                 hardware.num_polarities() * matrix.num_tiles() / packs.count);
    if (!packs.shared()) continue;
    ASSERT_EQ(matrix.num_tiles(), packs.count);
    const WeightCodes w =
        QuantizeWeights(hardware, problem.problem.weights.data(), packs.groups * packs.outputs, packs.inputs);
    std::set<std::uint32_t> numbers;
    std::int64_t weights = 0;
    for (int pack = 0; pack < packs.count; ++pack) {
      for (int slice = 0; slice < hardware.num_slices(); ++slice) {
        for (int polarity = 0; polarity < hardware.num_polarities(); ++polarity) {
          const ArrayPlace place{pack, 0, 0, slice, polarity};
          numbers.insert(matrix.ArrayNumber(place));
          std::vector<double> g = matrix.CellConductances(problem.problem.weights.data(), place);
          for (int group = packs.first_group(pack); group < packs.first_group(pack) + packs.groups_in(pack); ++group) {
            const int member = group - packs.first_group(pack);
            for (int k = 0; k < packs.inputs; ++k) {
              for (int n = 0; n < packs.outputs; ++n, ++weights) {
                const std::size_t cell =
                    static_cast<std::size_t>(member * packs.inputs + k) * hardware.cols + member * packs.outputs + n;
                const std::int32_t code =
                    w.codes[(static_cast<std::size_t>(group) * packs.outputs + n) * packs.inputs + k];
                const int digit = WeightDigit(hardware, code, slice, polarity);
                ASSERT_DOUBLE_EQ(g[cell], hardware.g_off() + digit * hardware.g_step());
                g[cell] = hardware.g_off();
              }
            }
          }
          for (const double siemens : g) ASSERT_EQ(siemens, hardware.g_off());
        }
      }
    }
    EXPECT_EQ(weights, static_cast<std::int64_t>(problem.problem.weights.size()) * hardware.num_slices() *
                           hardware.num_polarities());
    EXPECT_EQ(static_cast<std::int64_t>(numbers.size()), matrix.num_arrays());
    EXPECT_EQ(*numbers.rbegin(), matrix.num_arrays() - 1);
  }
}

// The whole array is one circuit: levels, those between the blocks included, are its equivalent conductances.
TEST(Packing, ExtractsTheWholeArray) {
  const Hardware hardware = Packed(SmallArrays());
  const PackedProblem problem(hardware, 7, 6, 2, 1, false, 3);
  CrossbarMatrix matrix(hardware, "layer", 7, 6, 2);
  const ProgramReport packed = matrix.Program(problem.problem.weights.data());
  const std::vector<float> levels = LevelsOf(matrix);
  std::size_t i = 0;
  bool leaks = false;
  for (int pack = 0; pack < 2; ++pack) {
    for (int polarity = 0; polarity < 2; ++polarity) {
      for (int slice = 0; slice < hardware.num_slices(); ++slice) {
        std::vector<double> g = matrix.CellConductances(problem.problem.weights.data(), {pack, 0, 0, slice, polarity});
        EquivalentConductance(g.data(), hardware.rows, hardware.cols, hardware.wires, g.data());
        const int groups = problem.packs.groups_in(pack);
        for (int k = 0; k < 24; ++k) {
          for (int n = 0; n < 8; ++n, ++i) {
            const bool there = k < groups * 6 && n < groups * 2;
            const double level = (g[k * hardware.cols + n] - hardware.g_off()) / hardware.g_step();
            ASSERT_EQ(levels[i], there ? static_cast<float>(level) : 0) << pack << ", " << k << ", " << n;
            leaks = leaks || (there && levels[i] != 0 && !problem.packs.holds_weight(k, n));
          }
        }
      }
    }
  }
  ASSERT_EQ(i, levels.size());
  EXPECT_TRUE(leaks);

  // A fuller array, more current in its wires: conductances are further from what was programmed.
  CrossbarMatrix separate(SmallArrays(), "layer", 7, 6, 2);
  const ProgramReport unpacked = separate.Program(problem.problem.weights.data());
  EXPECT_EQ(packed.arrays * 7, unpacked.arrays * 2);
  EXPECT_DOUBLE_EQ(packed.utilisation * 2, unpacked.utilisation * 7);
}

TEST(Packing, ChangesNothingWhereNoTwoGroupsFit) {
  for (const auto& [inputs, outputs] : {std::pair{13, 2}, std::pair{6, 7}, std::pair{30, 20}}) {
    const Problem problem(SmallArrays(), 3, inputs, outputs, 4, true, 3);
    CrossbarMatrix separate(SmallArrays(), "layer", 3, inputs, outputs);
    CrossbarMatrix packed(Packed(SmallArrays()), "layer", 3, inputs, outputs);
    separate.Program(problem.weights.data());
    packed.Program(problem.weights.data());
    EXPECT_EQ(LevelsOf(packed), LevelsOf(separate));
    for (int group = 0; group < 3; ++group) {
      EXPECT_EQ(problem.Multiply(packed, group), problem.Multiply(separate, group));
    }
  }
}

TEST(Packing, ProgramsAgainWhatChanged) {
  const Hardware hardware = Packed(SmallArrays());
  PackedProblem problem(hardware, 7, 6, 2, 3, false, 3);
  CrossbarMatrix matrix(hardware, "layer", 7, 6, 2);
  matrix.Program(problem.problem.weights.data());
  for (int k = 0; k < 6; ++k)
    problem.problem.weights[(6 * 2 + 1) * 6 + k] = 0;  // of the last group, in the second pack
  const ProgramReport report = matrix.Program(problem.problem.weights.data());
  EXPECT_GT(report.programmed_arrays, 0);
  EXPECT_LE(report.programmed_arrays, report.arrays / 2);
  CrossbarMatrix fresh(hardware, "layer", 7, 6, 2);
  fresh.Program(problem.problem.weights.data());
  EXPECT_EQ(LevelsOf(matrix), LevelsOf(fresh));
  EXPECT_EQ(problem.Multiply(matrix, 1), problem.Multiply(fresh, 1));
}

}  // namespace
}  // namespace rxnn
