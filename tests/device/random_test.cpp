#include "rxnn/random.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <set>
#include <vector>

#include "tests/support/hwy_targets.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

using Counter = std::array<std::uint32_t, 4>;

// Known answers that the generator's authors publish with it (Random123, philox4x32, 10 rounds).
TEST(Philox4x32, GivesThePublishedAnswers) {
  EXPECT_EQ(Philox4x32({0, 0, 0, 0}, {0, 0}), (Counter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(Philox4x32({0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff}, {0xffffffff, 0xffffffff}),
            (Counter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(Philox4x32({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Counter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(ChipRandom, IsAFunctionOfItsArguments) {
  const ChipRandom chip(7, "conv1"), same(7, "conv1");
  EXPECT_EQ(chip.Normal(Draw::kVariation, 3, 12345), same.Normal(Draw::kVariation, 3, 12345));
  EXPECT_EQ(chip.Uniform(Draw::kStuck, 3, 1ull << 40), same.Uniform(Draw::kStuck, 3, 1ull << 40));
}

TEST(ChipRandom, DiffersWithEveryArgument) {
  const std::vector<double> draws{
      ChipRandom(7, "conv1").Uniform(Draw::kVariation, 3, 12),
      ChipRandom(8, "conv1").Uniform(Draw::kVariation, 3, 12),
      ChipRandom(7 + (1ull << 32), "conv1").Uniform(Draw::kVariation, 3, 12),
      ChipRandom(7, "conv2").Uniform(Draw::kVariation, 3, 12),
      ChipRandom(7, "conv1").Uniform(Draw::kStuck, 3, 12),
      ChipRandom(7, "conv1").Uniform(Draw::kReadNoise, 3, 12),
      ChipRandom(7, "conv1").Uniform(Draw::kVariation, 4, 12),
      ChipRandom(7, "conv1").Uniform(Draw::kVariation, 3, 13),
      ChipRandom(7, "conv1").Uniform(Draw::kVariation, 3, 12 + (1ull << 32)),
  };
  EXPECT_EQ(std::set<double>(draws.begin(), draws.end()).size(), draws.size());
}

constexpr int kDraws = 200'000;

// Largest distance between the empirical and the given distribution (Kolmogorov-Smirnov).
template <typename Distribution>
double KolmogorovDistance(std::vector<double> draws, const Distribution& distribution) {
  std::sort(draws.begin(), draws.end());
  double distance = 0;
  for (size_t i = 0; i < draws.size(); ++i) {
    const double expected = distribution(draws[i]);
    distance = std::max({distance, expected - static_cast<double>(i) / draws.size(),
                         static_cast<double>(i + 1) / draws.size() - expected});
  }
  return distance;
}

TEST(ChipRandom, UniformIsUniform) {
  const ChipRandom chip(1, "layer");
  std::vector<double> draws(kDraws);
  for (int i = 0; i < kDraws; ++i) draws[i] = chip.Uniform(Draw::kStuck, 0, i);
  EXPECT_GT(*std::min_element(draws.begin(), draws.end()), 0);
  EXPECT_LT(*std::max_element(draws.begin(), draws.end()), 1);
  EXPECT_LT(KolmogorovDistance(draws, [](double x) { return x; }), tolerance::KolmogorovSmirnov(kDraws));
}

TEST(ChipRandom, NormalIsNormal) {
  const ChipRandom chip(1, "layer");
  std::vector<double> draws(kDraws);
  for (int i = 0; i < kDraws; ++i) draws[i] = chip.Normal(Draw::kVariation, 0, i);
  EXPECT_LT(KolmogorovDistance(draws, [](double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }),
            tolerance::KolmogorovSmirnov(kDraws));
}

// Neighbouring cells, arrays and purposes share nothing.
TEST(ChipRandom, NeighboursAreUncorrelated) {
  const ChipRandom chip(1, "layer"), next_chip(2, "layer");
  double cell = 0, array = 0, purpose = 0, seed = 0;
  for (int i = 0; i < kDraws; ++i) {
    const double x = chip.Normal(Draw::kVariation, 5, i);
    cell += x * chip.Normal(Draw::kVariation, 5, i + 1);
    array += x * chip.Normal(Draw::kVariation, 6, i);
    purpose += x * chip.Normal(Draw::kReadNoise, 5, i);
    seed += x * next_chip.Normal(Draw::kVariation, 5, i);
  }
  for (const double sum : {cell, array, purpose, seed}) {
    EXPECT_LT(std::abs(sum) / kDraws, tolerance::Correlation(kDraws));
  }
}

// Many at a time, on every instruction set, for every remainder of lanes and across the border of 32 bits.
TEST(ChipRandom, NormalsAreThoseOfNormal) {
  const ChipRandom chip(7, "conv1");
  ForEachHwyTarget([&chip] {
    for (const std::uint64_t first : {std::uint64_t{0}, (std::uint64_t{1} << 32) - 20, std::uint64_t{1} << 50}) {
      for (const int count : {0, 1, 3, 7, 8, 9, 17, 1000}) {
        std::vector<double> normals(count + 1, -99);
        chip.Normals(Draw::kReadNoise, 5, first, count, normals.data());
        for (int i = 0; i < count; ++i) {
          // Either logarithm and cosine is good to a few units in the last place.
          ASSERT_NEAR(normals[i], chip.Normal(Draw::kReadNoise, 5, first + i), 100 * tolerance::kDoubleEps);
        }
        ASSERT_EQ(normals[count], -99);
      }
    }
  });
}

}  // namespace
}  // namespace rxnn
