#include "vmm/code_reads.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "tests/support/hwy_targets.hpp"
#include "tests/support/readouts.hpp"
#include "tests/support/tolerance.hpp"
#include "vmm/byte_products.hpp"
#include "vmm/byte_reads.hpp"

namespace rxnn {
namespace {

// How large currents may be: every level is between 0 and 3, or between -3 and 3.
CurrentRange Possible(int rows, int digit, bool is_signed, double off_level) {
  const double most = static_cast<double>(rows) * digit * (kMostLevel + off_level);
  return {is_signed ? -most : 0, most};
}

// Everything that one read of a panel needs, filled at random.
struct Problem {
  CodeReads reads;
  Readout readout;
  double off_level = 0;
  std::vector<std::uint16_t> codes;
  std::vector<std::uint8_t> low, high;  // their bytes
  std::vector<float> digits;
  std::vector<std::int32_t> digit_sums;
  std::vector<CodeReadout::Shares> shares;
  hwy::AlignedFreeUniquePtr<float[]> levels;
  std::vector<std::int32_t> sums;
  std::int64_t row_stride = 0;
  bool whole = false;

  // `whole`: levels are integers. Every fifth vector is without high bits, every seventh 0.
  Problem(ReadoutKind kind, bool whole, int rows, int cols, int vectors, int streams, int dac_bits) : whole(whole) {
    std::mt19937 engine(static_cast<unsigned>(rows * 1000003 + cols * 1009 + vectors * 31 + streams));
    const int most_code = (1 << (streams * dac_bits)) - 1;
    std::uniform_int_distribution<int> code(0, most_code);
    for (int v = 0; v < vectors; ++v) {
      for (int i = 0; i < rows; ++i) {
        const int c = code(engine);
        codes.push_back(static_cast<std::uint16_t>(v % 7 == 6 ? 0 : v % 5 == 4 ? c >> (most_code > 7 ? 3 : 0) : c));
      }
    }
    codes.resize(codes.size() + kChunkRows, 0xFFFF);  // read, never used
    for (const std::uint16_t c : codes) {
      low.push_back(static_cast<std::uint8_t>(c));
      high.push_back(static_cast<std::uint8_t>(c >> 8));
    }
    const bool is_signed = kind == ReadoutKind::kSigned;
    off_level = is_signed ? 0 : kOffLevel;
    std::uniform_real_distribution<float> real(is_signed ? static_cast<float>(-kMostLevel) : -0.2f,
                                               static_cast<float>(kMostLevel));
    std::uniform_int_distribution<int> integer(is_signed ? -3 : 0, 3);
    levels = hwy::AllocateAligned<float>(std::max(rows * cols, 1));
    for (int i = 0; i < rows * cols; ++i) levels[i] = whole ? static_cast<float>(integer(engine)) : real(engine);
    for (int i = 0; i < vectors * cols; ++i) sums.push_back(i % 7);  // what is there is added to

    const CurrentRange possible = Possible(rows, (1 << dac_bits) - 1, is_signed, off_level);
    readout = MakeReadout(kind, possible.max);
    reads.readout = CodeReadout::Make(readout, possible, off_level * rows * ((1 << dac_bits) - 1)).value();
    reads.rows = rows;
    reads.cols = cols;
    reads.vectors = vectors;
    reads.streams = streams;
    reads.dac_bits = dac_bits;
    reads.levels = levels.get();
    reads.level_stride = cols;
    reads.shift = rows % 4;
    reads.negative = rows % 2 == 1;
    reads.sums = sums.data();

    row_stride = (rows + kDigitPad - 1) / kDigitPad * kDigitPad;
    digits.resize(static_cast<std::size_t>(vectors) * streams * row_stride + 1);
    digit_sums.resize(vectors * streams);
    CutDigits(Cut(), row_stride, digits.data(), digit_sums.data());
    for (const int sum : digit_sums) shares.push_back(reads.readout.SharesOf(off_level * sum));
  }

  CodeCut Cut() const {
    const bool two_bytes = reads.streams * reads.dac_bits > 8;
    return {low.data(),    two_bytes ? high.data() : nullptr, reads.rows, reads.rows, reads.vectors, reads.streams,
            reads.dac_bits};
  }
  CodeDigits Digits() const { return {digits.data(), row_stride, shares.data()}; }

  std::vector<std::int64_t> Expected() const {
    std::vector<std::int64_t> expected(sums.begin(), sums.end());
    ReadCodesReference(reads, Digits(), readout, off_level, expected.data());
    return expected;
  }

  std::vector<std::int32_t> Multiplied() {
    std::vector<std::int32_t> result = sums;
    CodeReads to_result = reads;
    to_result.sums = result.data();
    ReadCodes(to_result, Digits());
    return result;
  }

  // By tables; `skip`: streams without a one go unread.
  std::vector<std::int32_t> FromTables(bool skip) {
    const int chunks = (reads.rows + kChunkRows - 1) / kChunkRows;
    const std::size_t count = static_cast<std::size_t>(reads.vectors) * reads.streams;
    std::vector<std::uint64_t> words(count * chunks);
    std::vector<std::int32_t> ones(count), order(reads.vectors), first(reads.streams + 2);
    CutBits(Cut(), words.data(), ones.data());
    EXPECT_EQ(ones, digit_sums);
    OrderVectors(ones.data(), reads.vectors, reads.streams, skip, order.data(), first.data());
    std::vector<std::uint16_t> offsets(count * chunks * kChunkOffsets);
    TableOffsets(words.data(), order.data(), reads.vectors, reads.streams, chunks, offsets.data());
    std::vector<CodeReadout::Shares> by_place;
    for (const int v : order) {
      by_place.insert(by_place.end(), shares.begin() + v * reads.streams, shares.begin() + (v + 1) * reads.streams);
    }
    const auto scratch = hwy::AllocateAligned<float>(kTableFloats + (chunks > 1 ? count * kTableCols : 0));
    std::vector<std::int32_t> result = sums;
    CodeReads to_result = reads;
    to_result.sums = result.data();
    ReadTables(to_result, {offsets.data(), by_place.data(), order.data(), first.data()}, scratch.get());
    return result;
  }

  // By products of bytes.
  std::vector<std::int32_t> FromBytes(bool skip) {
    const double largest = kMostLevel + (reads.level_share != 0 ? off_level : 0);
    const LevelBytes cut = LevelBytes::Make(largest, whole, reads.dac_bits, reads.rows).value();
    const auto bytes = hwy::AllocateAligned<std::int8_t>(cut.panel_bytes(reads.rows, reads.cols));
    CutLevels(cut, levels.get(), reads.cols, reads.rows, reads.cols, reads.level_share, bytes.get());
    std::vector<std::int32_t> of_digits(digit_sums.size()), order(reads.vectors), first(reads.streams + 2);
    SumByteDigits(Cut(), of_digits.data());
    EXPECT_EQ(of_digits, digit_sums);
    OrderVectors(of_digits.data(), reads.vectors, reads.streams, skip, order.data(), first.data());
    std::vector<ByteUnit> units;
    MakeUnits(first.data(), reads.streams, &units);
    const int count = static_cast<int>(units.size());
    const auto byte_digits = hwy::AllocateAligned<std::uint8_t>(cut.unit_bytes(reads.rows) * count + 1);
    CutByteDigits(Cut(), cut.copies(), order.data(), units.data(), count, byte_digits.get());
    std::vector<CodeReadout::Shares> by_place;
    for (const int v : order) {
      by_place.insert(by_place.end(), shares.begin() + v * reads.streams, shares.begin() + (v + 1) * reads.streams);
    }
    std::vector<std::int32_t> result = sums;
    CodeReads to_result = reads;
    to_result.sums = result.data();
    ReadBytes(to_result, cut, bytes.get(), {byte_digits.get(), units.data(), count, by_place.data(), order.data()});
    return result;
  }

  // How far a sum may be off: a code where the reference current lies within the rounding of float32 sums of the border
  // between two codes, or its levels within that of the border between two whole numbers. `ties` counts such reads.
  std::int64_t Slack(int vector, int col, std::int64_t* ties) const {
    std::int64_t slack = 0;
    for (int s = 0; s < reads.streams; ++s) {
      const float* row = digits.data() + (vector * reads.streams + s) * row_stride;
      double current = 0;
      double magnitudes = 0;
      for (int i = 0; i < reads.rows; ++i) {
        const double term = static_cast<double>(row[i]) * levels[i * reads.cols + col];
        current += term;
        magnitudes += std::fabs(term);
      }
      const int digit_sum = digit_sums[vector * reads.streams + s];
      const double share = off_level * digit_sum;
      const double lsb = readout.adc.lsb;
      const double code = (current + share) / lsb;
      // The sum itself, then a few operations on the code.
      const double rounding = (tolerance::SumTolerance(reads.rows, magnitudes) +
                               tolerance::LevelUnits(whole ? 0 : kMostLevel + kOffLevel, digit_sum)) /
                                  lsb +
                              8 * tolerance::kFloatEps * (std::fabs(code) + readout.adc.code_max);
      const auto to_border = [](double x) { return std::fabs(x - std::floor(x) - 0.5); };
      bool tie = to_border(code) <= rounding;
      if (readout.whole_levels) {
        const double converted = std::clamp(std::nearbyint(code), readout.adc.code_min, readout.adc.code_max);
        tie = tie || to_border(converted * lsb - share) <= 8 * tolerance::kFloatEps * (converted * lsb + share);
      }
      if (!tie) continue;
      ++*ties;
      slack += std::int64_t{1} << (reads.shift + s * reads.dac_bits);
    }
    return slack;
  }
};

class CodeReadsTest : public testing::TestWithParam<std::tuple<ReadoutKind, bool>> {
 protected:
  // Compares with the reference: equal but for ties, which are few; without exception where that is proven.
  void Compare(const Problem& problem, const std::vector<std::int32_t>& actual, const char* what) {
    const std::vector<std::int64_t> expected = problem.Expected();
    const CodeReads& reads = problem.reads;
    const int low = std::get<0>(GetParam()) == ReadoutKind::kSigned ? -3 : 0;
    const int most_digits = reads.rows * ((1 << reads.dac_bits) - 1);
    const bool proven =
        std::get<1>(GetParam()) && reads.readout.ProvenFor(problem.readout, problem.off_level, most_digits, low, 3);
    std::int64_t ties = 0;
    for (int v = 0; v < reads.vectors; ++v) {
      for (int j = 0; j < reads.cols; ++j) {
        const std::int64_t slack = proven ? 0 : problem.Slack(v, j, &ties);
        ASSERT_LE(std::abs(actual[v * reads.cols + j] - expected[v * reads.cols + j]), slack)
            << what << " of " << reads.rows << " x " << reads.cols << ", vector " << v << " of " << reads.vectors
            << ", column " << j << ": " << actual[v * reads.cols + j] << ", expected " << expected[v * reads.cols + j];
      }
    }
    currents_ += static_cast<std::int64_t>(reads.vectors) * reads.cols * reads.streams;
    ties_ += ties;
    proofs_ += proven;
  }

  // Real currents are spread evenly: the share of ties is twice their rounding in steps of the converter.
  void ExpectFewTies() const {
    EXPECT_LE(ties_, currents_ / 50);
    if (std::get<1>(GetParam())) {
      EXPECT_GT(proofs_, 0);
    }
  }

  std::int64_t currents_ = 0;
  std::int64_t ties_ = 0;
  std::int64_t proofs_ = 0;
};

TEST_P(CodeReadsTest, MultiplicationEqualsReferenceOnEveryTarget) {
  const auto [kind, whole] = GetParam();
  for (const int rows : {1, 2, 63, 64, 65, 200}) {
    for (const auto& [streams, dac_bits] : {std::pair{1, 3}, std::pair{8, 1}, std::pair{3, 2}, std::pair{13, 1}}) {
      for (const auto& [cols, vectors] : {std::pair{16, 1}, std::pair{32, 5}, std::pair{48, 6}, std::pair{64, 13}}) {
        Problem problem(kind, whole, rows, cols, vectors, streams, dac_bits);
        ForEachHwyTarget([&] { Compare(problem, problem.Multiplied(), "product"); });
      }
    }
  }
  ExpectFewTies();
}

TEST_P(CodeReadsTest, TablesEqualReferenceOnEveryTarget) {
  const auto [kind, whole] = GetParam();
  const bool skip = kind != ReadoutKind::kSaturating;  // whose lowest code is not that of no current
  for (const int rows : {1, 5, 19, 21, 40, 41, 63, 64, 65, 128, 200}) {
    for (const auto& [cols, vectors] : {std::pair{16, 1}, std::pair{48, 7}, std::pair{64, 20}}) {
      for (const int streams : {1, 8}) {
        Problem problem(kind, whole, rows, cols, vectors, streams, 1);
        ForEachHwyTarget([&] { Compare(problem, problem.FromTables(skip), "tables"); });
        if (std::get<1>(GetParam())) continue;
        problem.reads.level_share = static_cast<float>(problem.off_level);
        ForEachHwyTarget([&] { Compare(problem, problem.FromTables(skip), "tables with shares"); });
      }
    }
  }
  ExpectFewTies();
}

TEST_P(CodeReadsTest, BytesEqualReference) {
  if (BestByteProducts() == ByteProducts::kNone) GTEST_SKIP() << "this machine has no products of bytes";
  const auto [kind, whole] = GetParam();
  const bool skip = kind != ReadoutKind::kSaturating;
  for (const int rows : {1, 5, 40, 63, 64, 65, 128, 200, 256}) {
    for (const auto& [streams, dac_bits] : {std::pair{1, 3}, std::pair{8, 1}, std::pair{3, 2}}) {
      for (const auto& [cols, vectors] : {std::pair{16, 1}, std::pair{48, 7}, std::pair{64, 33}, std::pair{32, 130}}) {
        Problem problem(kind, whole, rows, cols, vectors, streams, dac_bits);
        ForEachByteProducts([&] { Compare(problem, problem.FromBytes(skip), "bytes"); });
        if (whole) continue;
        problem.reads.level_share = static_cast<float>(problem.off_level);
        ForEachByteProducts([&] { Compare(problem, problem.FromBytes(skip), "bytes with shares"); });
      }
    }
  }
  ExpectFewTies();
}

// Tables of whole units: without rounding, so that digits may be read either way.
TEST_P(CodeReadsTest, TablesOfUnitsEqualBytes) {
  if (BestByteProducts() == ByteProducts::kNone) GTEST_SKIP() << "this machine has no products of bytes";
  const auto [kind, whole] = GetParam();
  const bool skip = kind != ReadoutKind::kSaturating;
  for (const int rows : {1, 40, 64, 65, 200}) {
    for (const auto& [cols, vectors] : {std::pair{16, 1}, std::pair{48, 7}, std::pair{64, 33}}) {
      for (const int streams : {1, 8}) {
        Problem problem(kind, whole, rows, cols, vectors, streams, 1);
        if (!whole) problem.reads.level_share = static_cast<float>(problem.off_level);
        const std::vector<std::int32_t> bytes = problem.FromBytes(skip);
        ForEachByteProducts([&] { EXPECT_EQ(problem.FromBytes(skip), bytes); });
        const double largest = kMostLevel + (whole ? 0 : problem.off_level);
        problem.reads.level_unit = LevelBytes::Make(largest, whole, 1, rows)->unit;
        EXPECT_EQ(problem.FromTables(skip), bytes) << rows << " x " << cols << ", " << vectors << " vectors";
      }
    }
  }
}

TEST(CodeReads, CountsGroupsWithAOne) {
  const std::vector<std::uint64_t> words = {~std::uint64_t{0}, 0x8, 0x1100, 0, 0, 0};  // [vectors 3][streams 2]
  const std::int32_t order[] = {2, 0, 1};
  const std::int32_t first[] = {0, 1, 2, 3};  // vector 2 has nothing to read, vector 0 one stream, vector 1 two
  EXPECT_EQ(GroupsPerRead(words.data(), order, first, 2, 1), (16 + 2 + 0) / 3.0);
  const std::int32_t none[] = {0, 3, 3, 3};
  EXPECT_EQ(GroupsPerRead(words.data(), order, none, 2, 1), 0);
}

std::string CaseName(const testing::TestParamInfo<std::tuple<ReadoutKind, bool>>& info) {
  static const char* const kNames[] = {"Coarse", "Fine", "Levels", "FineLevels", "Saturating", "Signed"};
  return std::string(kNames[static_cast<int>(std::get<0>(info.param))]) +
         (std::get<1>(info.param) ? "IntegerLevels" : "RealLevels");
}

INSTANTIATE_TEST_SUITE_P(Kinds, CodeReadsTest,
                         testing::Combine(testing::Values(ReadoutKind::kCoarse, ReadoutKind::kFine,
                                                          ReadoutKind::kLevels, ReadoutKind::kFineLevels,
                                                          ReadoutKind::kSaturating, ReadoutKind::kSigned),
                                          testing::Bool()),
                         CaseName);

// Tables are built from where the levels of a layer lie, panels side by side.
TEST(CodeReads, TablesTakeLevelsFromAWiderMatrix) {
  Problem problem(ReadoutKind::kLevels, false, 70, 32, 9, 8, 1);
  const std::vector<std::int32_t> expected = problem.FromTables(true);
  std::vector<float> wide(70 * 51 + 1, 9.0f);
  for (int i = 0; i < 70; ++i) std::copy_n(problem.levels.get() + i * 32, 32, wide.begin() + 1 + i * 51);
  problem.reads.levels = wide.data() + 1;
  problem.reads.level_stride = 51;
  ForEachHwyTarget([&] { EXPECT_EQ(problem.FromTables(true), expected); });
}

// Sizes of levels from those that one byte holds to those that three do not.
TEST(LevelBytes, HoldsWholeLevelsOrRefuses) {
  EXPECT_EQ(LevelBytes::Make(127, true, 4, 64)->cut, LevelBytes::Cut::kOne);
  EXPECT_EQ(LevelBytes::Make(128, true, 4, 64)->cut, LevelBytes::Cut::kThree);
  EXPECT_EQ(LevelBytes::Make(128, true, 1, 64)->cut, LevelBytes::Cut::kBits);
  EXPECT_EQ(LevelBytes::Make(127, false, 4, 64)->cut, LevelBytes::Cut::kThree);
  EXPECT_FALSE(LevelBytes::Make(1e7, true, 4, 64));
  EXPECT_FALSE(LevelBytes::Make(1, true, 9, 64));
  EXPECT_FALSE(LevelBytes::Make(1, true, 4, 257));
  for (const int dac_bits : {1, 4}) {
    for (const double largest : {1e-3, 1.0, 3.3, 31.9, 32.0, 1e5}) {
      const LevelBytes bytes = LevelBytes::Make(largest, false, dac_bits, 64).value();
      EXPECT_LE(bytes.unit, 1.01 * std::ldexp(largest, -21));
      EXPECT_GE(bytes.unit, std::ldexp(largest, -23));
    }
  }
}

// The largest levels of either sign under the largest digits: what 32 bits must hold.
TEST(CodeReads, BytesHoldTheLargestSums) {
  if (BestByteProducts() == ByteProducts::kNone) GTEST_SKIP() << "this machine has no products of bytes";
  for (const auto& [streams, dac_bits] : {std::pair{1, 8}, std::pair{8, 1}}) {
    Problem problem(ReadoutKind::kSigned, false, kMostByteRows, 16, 5, streams, dac_bits);
    std::fill(problem.low.begin(), problem.low.end(), 255);
    std::fill(problem.digits.begin(), problem.digits.end(), static_cast<float>((1 << dac_bits) - 1));
    std::fill(problem.digit_sums.begin(), problem.digit_sums.end(), kMostByteRows * ((1 << dac_bits) - 1));
    for (int i = 0; i < kMostByteRows * 16; ++i) {
      problem.levels[i] = static_cast<float>(i % 16 < 4    ? kMostLevel
                                             : i % 16 < 8  ? -kMostLevel
                                             : i % 16 < 12 ? 1e-3
                                                           : 0);
    }
    const std::vector<std::int64_t> expected = problem.Expected();
    ForEachByteProducts([&] {
      const std::vector<std::int32_t> actual = problem.FromBytes(true);
      std::int64_t ties = 0;
      for (int i = 0; i < 5 * 16; ++i) {
        EXPECT_LE(std::abs(actual[i] - expected[i]), problem.Slack(i / 16, i % 16, &ties)) << i;
      }
    });
  }
}

TEST(CodeReads, SkippedStreamsChangeNothing) {
  Problem problem(ReadoutKind::kLevels, false, 64, 32, 20, 8, 1);
  EXPECT_EQ(problem.FromTables(true), problem.FromTables(false));
}

TEST(CodeReads, CutsDigitsOfOneAndTwoBytes) {
  for (const auto& [streams, dac_bits] : {std::pair{8, 1}, std::pair{13, 1}, std::pair{3, 3}, std::pair{1, 16}}) {
    const Problem problem(ReadoutKind::kCoarse, false, 77, 16, 9, streams, dac_bits);
    ForEachHwyTarget([&, streams = streams, dac_bits = dac_bits] {
      std::vector<float> digits(problem.digits.size());
      std::vector<std::int32_t> sums(problem.digit_sums.size());
      CutDigits(problem.Cut(), problem.row_stride, digits.data(), sums.data());
      std::vector<std::uint64_t> words(2 * sums.size());
      if (dac_bits == 1) CutBits(problem.Cut(), words.data(), sums.data());
      for (int q = 0; q < 9 * streams; ++q) {
        std::int32_t sum = 0;
        for (int i = 0; i < 77; ++i) {
          const int digit = problem.codes[q / streams * 77 + i] >> (q % streams * dac_bits) & ((1 << dac_bits) - 1);
          ASSERT_EQ(digits[q * problem.row_stride + i], digit);
          if (dac_bits == 1) {
            ASSERT_EQ(words[2 * q + i / 64] >> (i % 64) & 1, digit);
          }
          sum += digit;
        }
        ASSERT_EQ(sums[q], sum);
        if (dac_bits == 1) {
          ASSERT_EQ(words[2 * q + 1] >> 13, 0);  // nothing beyond the rows
        }
      }
    });
  }
}

TEST(CodeReads, OrdersVectorsByStreamsToRead) {
  const std::vector<std::int32_t> digit_sums = {1, 1, 0, 0, 0, 0, 5, 0, 1, 0, 2, 0};  // 2, 0, 3, 2 of 3 streams
  std::vector<std::int32_t> order(4), first(5);
  OrderVectors(digit_sums.data(), 4, 3, true, order.data(), first.data());
  EXPECT_EQ(order, (std::vector<std::int32_t>{1, 0, 3, 2}));
  EXPECT_EQ(first, (std::vector<std::int32_t>{0, 1, 1, 3, 4}));
  OrderVectors(digit_sums.data(), 4, 3, false, order.data(), first.data());
  EXPECT_EQ(order, (std::vector<std::int32_t>{0, 1, 2, 3}));
  EXPECT_EQ(first, (std::vector<std::int32_t>{0, 0, 0, 0, 4}));
}

TEST(CodeReads, RefusesOtherPanels) {
  Problem problem(ReadoutKind::kLevels, true, 4, 32, 2, 1, 1);
  CodeReads reads = problem.reads;
  reads.cols = 24;
  EXPECT_THROW(ReadCodes(reads, problem.Digits()), std::invalid_argument);
  reads.cols = 128;
  EXPECT_THROW(ReadTables(reads, {}, nullptr), std::invalid_argument);
  reads = problem.reads;
  reads.level_stride = 40;
  EXPECT_THROW(ReadCodes(reads, problem.Digits()), std::invalid_argument);
  reads = problem.reads;
  reads.levels += 1;
  EXPECT_THROW(ReadCodes(reads, problem.Digits()), std::invalid_argument);
}

TEST(CodeReadout, RefusesWhatFloatsDoNotHold) {
  Readout readout;
  EXPECT_FALSE(CodeReadout::Make(readout, {0, 1}, 0));  // an ideal converter
  readout.adc = Adc(17, 0, 100);
  EXPECT_FALSE(CodeReadout::Make(readout, {0, 1}, 0));
  readout.adc = Adc(8, 1e6, 1e6 + 1);  // codes around 2.5e8
  EXPECT_FALSE(CodeReadout::Make(readout, {0, 1}, 0));
  readout.adc = Adc(16, 0, 100);
  EXPECT_TRUE(CodeReadout::Make(readout, {0, 1}, 0));
}

TEST(CodeReadout, ClampsWhereACurrentMaySaturate) {
  Readout readout;
  readout.adc = Adc(8, 0, 255);
  EXPECT_FALSE(CodeReadout::Make(readout, {0, 255}, 0)->clamps);
  EXPECT_TRUE(CodeReadout::Make(readout, {0, 256}, 0)->clamps);
  EXPECT_TRUE(CodeReadout::Make(readout, {-1, 255}, 0)->clamps);
}

TEST(CodeReadout, ProofFindsTheCodesThatDiffer) {
  Readout readout;
  readout.adc = Adc(8, 0, 213.0 + 1.0 / 3);
  readout.whole_levels = true;
  const CodeReadout codes = CodeReadout::Make(readout, {0, 213.4}, 64.0 / 3).value();
  EXPECT_TRUE(codes.ProvenFor(readout, 1.0 / 3, 64, 0, 3));
  CodeReadout wrong = codes;
  wrong.per_lsb *= 1.001f;
  EXPECT_FALSE(wrong.ProvenFor(readout, 1.0 / 3, 64, 0, 3));
  EXPECT_FALSE(codes.ProvenFor(readout, 1.0 / 3, 4096, 0, 3));  // too many to look at
}

}  // namespace
}  // namespace rxnn
