#include "rxnn/mapping.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

namespace rxnn {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

TEST(QuantizeWeights, ScalesByTheLargestOfTheLayer) {
  Hardware hardware;
  hardware.weight_bits = 4;  // codes -7 to 7
  const float weights[] = {0.5f, -2.0f, 1.0f, 0.0f, 0.25f, -0.75f};
  const WeightCodes w = QuantizeWeights(hardware, weights, 2, 3);
  // In codes: 1.75, -7, 3.5 (a tie, to even), 0, 0.875, -2.625.
  EXPECT_EQ(w.codes, (std::vector<std::int32_t>{2, -7, 4, 0, 1, -3}));
  EXPECT_EQ(w.scales, (std::vector<float>{2, 2}));
}

TEST(QuantizeWeights, ScalesByTheLargestOfEachOutput) {
  Hardware hardware;
  hardware.weight_bits = 4;
  hardware.weight_scale = WeightScale::kColumn;
  const float weights[] = {0.5f, -2.0f, 1.0f, 0.0f, 0.25f, -0.75f, 0, 0, 0};
  const WeightCodes w = QuantizeWeights(hardware, weights, 3, 3);
  EXPECT_EQ(w.codes, (std::vector<std::int32_t>{2, -7, 4, 0, 2, -7, 0, 0, 0}));
  EXPECT_EQ(w.scales, (std::vector<float>{2, 0.75f, 0}));
}

TEST(QuantizeWeights, RoundsHalfToEven) {
  Hardware hardware;
  hardware.weight_bits = 4;
  const float weights[] = {7.0f, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f};
  EXPECT_EQ(QuantizeWeights(hardware, weights, 1, 7).codes, (std::vector<std::int32_t>{7, 0, 2, 2, 0, -2, -2}));
}

TEST(QuantizeWeights, IsOffByAtMostHalfACode) {
  std::mt19937 engine(1);
  std::normal_distribution<float> normal;
  std::vector<float> weights(1000);
  for (float& w : weights) w = normal(engine);
  for (int bits = 2; bits <= 16; ++bits) {
    Hardware hardware;
    hardware.weight_bits = bits;
    const WeightCodes w = QuantizeWeights(hardware, weights.data(), 10, 100);
    const double step = w.scales[0] / static_cast<double>(hardware.max_weight_code());
    for (std::size_t i = 0; i < weights.size(); ++i) {
      ASSERT_LE(std::abs(w.codes[i]), hardware.max_weight_code());
      ASSERT_LE(std::fabs(w.codes[i] * step - weights[i]), 0.5000001 * step);
    }
  }
}

TEST(QuantizeWeights, NamesTheWeightThatIsNotFinite) {
  for (const float bad : {kNaN, kInfinity, -kInfinity}) {
    const float weights[] = {1, 2, bad, 4};
    try {
      QuantizeWeights(Hardware(), weights, 2, 2);
      FAIL() << "accepted " << bad;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("weight 2"), std::string::npos) << error.what();
    }
  }
}

// Digits, shifted and added, are the code (plus the offset), whatever the cut.
TEST(WeightDigit, DigitsRejoin) {
  for (int weight_bits = 2; weight_bits <= 10; ++weight_bits) {
    for (int cell_bits = 1; cell_bits <= weight_bits; ++cell_bits) {
      Hardware hardware;
      hardware.weight_bits = weight_bits;
      hardware.cell_bits = cell_bits;
      for (const SignedWeights scheme : {SignedWeights::kDifferential, SignedWeights::kOffset}) {
        hardware.signed_weights = scheme;
        const bool offset = scheme == SignedWeights::kOffset;
        for (int code = -hardware.max_weight_code(); code <= hardware.max_weight_code(); ++code) {
          int joined = offset ? -(1 << (weight_bits - 1)) : 0;
          for (int polarity = 0; polarity < hardware.num_polarities(); ++polarity) {
            for (int slice = 0; slice < hardware.num_slices(); ++slice) {
              const int digit = WeightDigit(hardware, code, slice, polarity);
              ASSERT_GE(digit, 0);
              ASSERT_LT(digit, 1 << cell_bits);
              if (!offset && (polarity == 1) != (code < 0)) {
                ASSERT_EQ(digit, 0);
              }
              joined += (polarity == 0 ? digit : -digit) * (1 << (slice * cell_bits));
            }
          }
          ASSERT_EQ(joined, code) << weight_bits << " bits in cells of " << cell_bits;
        }
      }
    }
  }
}

TEST(TileGrid, CoversTheMatrixOnce) {
  Hardware hardware;
  hardware.rows = 10;
  hardware.cols = 7;
  for (const int inputs : {1, 9, 10, 11, 20, 25}) {
    for (const int outputs : {1, 6, 7, 8, 14, 20}) {
      const TileGrid grid(hardware, inputs, outputs);
      int rows = 0;
      for (int t = 0; t < grid.row_tiles; ++t) {
        EXPECT_EQ(grid.first_row(t), rows);
        EXPECT_GT(grid.used_rows(t), 0);
        EXPECT_LE(grid.used_rows(t), 10);
        rows += grid.used_rows(t);
      }
      EXPECT_EQ(rows, inputs);
      int cols = 0;
      for (int t = 0; t < grid.col_tiles; ++t) {
        EXPECT_EQ(grid.first_col(t), cols);
        EXPECT_GT(grid.used_cols(t), 0);
        EXPECT_LE(grid.used_cols(t), 7);
        cols += grid.used_cols(t);
      }
      EXPECT_EQ(cols, outputs);
    }
  }
}

TEST(QuantizeInputs, TakesTheRangeOfTheImage) {
  Hardware hardware;
  hardware.input_bits = 3;  // codes -7 to 7
  const float inputs[] = {0, 1, -2, 0.5f, 1.5f};
  std::int32_t codes[5];
  const InputScale scale = QuantizeInputs(hardware, inputs, 5, codes);
  EXPECT_EQ(scale.range, 2);
  EXPECT_TRUE(scale.has_negative);
  EXPECT_EQ(std::vector<std::int32_t>(codes, codes + 5), (std::vector<std::int32_t>{0, 4, -7, 2, 5}));
}

TEST(QuantizeInputs, ClampsToAGivenRange) {
  Hardware hardware;
  hardware.input_bits = 3;
  hardware.input_range = 1;
  const float inputs[] = {0.5f, 1, 3, 1e30f, -1e30f, 0.2f};
  std::int32_t codes[6];
  const InputScale scale = QuantizeInputs(hardware, inputs, 6, codes);
  EXPECT_EQ(scale.range, 1);
  EXPECT_EQ(std::vector<std::int32_t>(codes, codes + 6), (std::vector<std::int32_t>{4, 7, 7, 7, -7, 1}));
  EXPECT_TRUE(scale.has_negative);
}

TEST(QuantizeInputs, NeedsNoPassForWhatRoundsToZero) {
  Hardware hardware;
  hardware.input_bits = 3;
  const float inputs[] = {1, -0.01f};
  std::int32_t codes[2];
  EXPECT_FALSE(QuantizeInputs(hardware, inputs, 2, codes).has_negative);
  EXPECT_EQ(codes[1], 0);
}

TEST(QuantizeInputs, TakesNothingButZeros) {
  const std::vector<float> inputs(9, 0);
  std::vector<std::int32_t> codes(9, 5);
  const InputScale scale = QuantizeInputs(Hardware(), inputs.data(), 9, codes.data());
  EXPECT_EQ(scale.range, 0);
  EXPECT_FALSE(scale.has_negative);
  EXPECT_EQ(codes, std::vector<std::int32_t>(9, 0));
}

TEST(QuantizeInputs, NamesTheInputThatIsNotFinite) {
  for (const float bad : {kNaN, kInfinity}) {
    const float inputs[] = {1, bad};
    std::int32_t codes[2];
    try {
      QuantizeInputs(Hardware(), inputs, 2, codes);
      FAIL() << "accepted " << bad;
    } catch (const std::invalid_argument& error) {
      EXPECT_NE(std::string(error.what()).find("input 1"), std::string::npos) << error.what();
    }
  }
}

TEST(GroupPacks, AreAsFewAsFitAndCoverAllGroups) {
  Hardware hardware;
  hardware.rows = 20;
  hardware.cols = 11;
  for (int groups = 1; groups < 30; ++groups) {
    for (const int inputs : {1, 3, 7, 10, 11, 25}) {
      for (const int outputs : {1, 2, 5, 6, 12}) {
        hardware.group_packing = GroupPacking::kBlockDiagonal;
        const GroupPacks packs(hardware, groups, inputs, outputs);
        const int fit = std::max(std::min(20 / inputs, 11 / outputs), 1);
        EXPECT_EQ(packs.count, (groups + fit - 1) / fit);
        EXPECT_LE(packs.together, fit);
        int next = 0;
        for (int pack = 0; pack < packs.count; ++pack) {
          EXPECT_EQ(packs.first_group(pack), next);
          EXPECT_GT(packs.groups_in(pack), 0);
          next += packs.groups_in(pack);
        }
        EXPECT_EQ(next, groups);
        hardware.group_packing = GroupPacking::kSeparate;
        EXPECT_EQ(GroupPacks(hardware, groups, inputs, outputs).count, groups);
      }
    }
  }
}

}  // namespace
}  // namespace rxnn
