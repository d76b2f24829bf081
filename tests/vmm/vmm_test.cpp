#include "vmm/vmm.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <stdexcept>
#include <tuple>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "tests/support/hwy_targets.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

// Everything that one call of ReadPanel needs, filled at random.
template <typename T>
struct Problem {
  PanelReads<T> reads;
  std::vector<T> digits;
  std::vector<double> shares;
  hwy::AlignedFreeUniquePtr<T[]> levels;
  std::vector<double> weights;
  std::vector<double> sums;

  // `whole`: levels are integers from 0 to 3, as on ideal hardware.
  Problem(int rows, int cols, int vectors, int num_reads, int matrices, bool whole, const Readout& readout) {
    std::mt19937 engine(static_cast<unsigned>(rows * 1000003 + cols * 1009 + vectors * 31 + num_reads));
    std::uniform_int_distribution<int> digit(0, 3);
    std::uniform_real_distribution<double> real(-0.2, 3.2);
    for (int i = 0; i < num_reads * vectors * rows; ++i) digits.push_back(static_cast<T>(digit(engine)));
    for (int i = 0; i < num_reads * vectors; ++i) {
      double sum = 0;
      for (int k = 0; k < rows; ++k) sum += digits[static_cast<std::size_t>(i) * rows + k];
      shares.push_back(sum / 3);
    }
    levels = hwy::AllocateAligned<T>(std::max(matrices * rows * cols, 1));
    for (int i = 0; i < matrices * rows * cols; ++i) {
      levels[i] = static_cast<T>(whole ? digit(engine) : real(engine));
    }
    for (int i = 0; i < matrices * num_reads; ++i) weights.push_back(std::ldexp(i % 2 == 0 ? 1 : -1, i % 9));
    for (int i = 0; i < vectors * cols; ++i) sums.push_back(i % 7);  // what is there is added to
    reads.rows = rows;
    reads.cols = cols;
    reads.vectors = vectors;
    reads.reads = num_reads;
    reads.matrices = matrices;
    reads.digits = digits.data();
    reads.shares = shares.data();
    reads.levels = levels.get();
    reads.weights = weights.data();
    reads.readout = readout;
    reads.sums = sums.data();
  }
  Problem(const Problem&) = delete;
  Problem& operator=(const Problem&) = delete;

  double Current(int matrix, int read, int vector, int col, bool magnitudes) const {
    double current = 0;
    for (int k = 0; k < reads.rows; ++k) {
      const double term = static_cast<double>(digits[(read * reads.vectors + vector) * reads.rows + k]) *
                          levels[(matrix * reads.rows + k) * reads.cols + col];
      current += magnitudes ? std::fabs(term) : term;
    }
    return current;
  }

  // How far the sum of (vector, col) may be from the reference: what rounding does to currents, and one step of the
  // converter where the reference current lies within that rounding of the border between two codes.
  double Slack(int vector, int col) const {
    const double eps = sizeof(T) == 4 ? 1.0 : tolerance::kDoubleEps / tolerance::kFloatEps;
    const Readout& readout = reads.readout;
    double slack = 0;
    for (int m = 0; m < reads.matrices; ++m) {
      for (int r = 0; r < reads.reads; ++r) {
        const double weight = std::fabs(weights[m * reads.reads + r]);
        const double rounding = eps * tolerance::SumTolerance(reads.rows, Current(m, r, vector, col, true));
        slack += weight * tolerance::kDoubleEps * 1e4;
        if (readout.adc.bits == 0) {
          slack += weight * rounding;
          continue;
        }
        const double code = (Current(m, r, vector, col, false) + shares[r * reads.vectors + vector]) / readout.adc.lsb;
        const double to_tie = std::fabs(code - std::floor(code) - 0.5);
        if (to_tie * readout.adc.lsb <= rounding) slack += weight * (readout.adc.lsb + 1);
      }
    }
    return slack;
  }
};

enum class Kind { kIdeal, kCoarse, kWholeLevels, kSaturating };

Readout MakeReadout(Kind kind, int rows) {
  const double most = rows * 3 * (3 + 1.0 / 3);
  Readout readout;
  switch (kind) {
    case Kind::kIdeal:
      break;
    case Kind::kCoarse:
      readout.adc = Adc(5, 0, most);
      break;
    case Kind::kWholeLevels:
      readout.adc = Adc(15, 0, most);
      readout.whole_levels = true;
      break;
    case Kind::kSaturating:
      readout.adc = Adc(4, 0.2 * most, 0.5 * most);
      break;
  }
  return readout;
}

class ReadPanelTest : public testing::TestWithParam<std::tuple<Kind, bool>> {
 protected:
  template <typename T>
  void Compare() {
    const auto [kind, whole] = GetParam();
    // Vectors straddle the six that go together; columns every number of SIMD vectors.
    for (const int rows : {1, 2, 63, 64, 65}) {
      for (const int cols : {16, 32, 48, 64}) {
        for (const int vectors : {1, 5, 6, 7, 13}) {
          const Readout readout = MakeReadout(kind, rows);
          Problem<T> expected(rows, cols, vectors, 3, 2, whole, readout);
          Problem<T> actual(rows, cols, vectors, 3, 2, whole, readout);
          ReadPanelReference(expected.reads);
          ReadPanel(actual.reads);
          if (whole) {
            ASSERT_EQ(actual.sums, expected.sums) << rows << " x " << cols << ", " << vectors << " vectors";
            continue;
          }
          for (int v = 0; v < vectors; ++v) {
            for (int j = 0; j < cols; ++j) {
              ASSERT_NEAR(actual.sums[v * cols + j], expected.sums[v * cols + j], expected.Slack(v, j))
                  << rows << " x " << cols << ", vector " << v << " of " << vectors << ", column " << j;
            }
          }
        }
      }
    }
  }
};

TEST_P(ReadPanelTest, FloatEqualsReferenceOnEveryTarget) {
  ForEachHwyTarget([this] { Compare<float>(); });
}

TEST_P(ReadPanelTest, DoubleEqualsReferenceOnEveryTarget) {
  ForEachHwyTarget([this] { Compare<double>(); });
}

std::string CaseName(const testing::TestParamInfo<std::tuple<Kind, bool>>& info) {
  static const char* const kNames[] = {"Ideal", "Coarse", "WholeLevels", "Saturating"};
  return std::string(kNames[static_cast<int>(std::get<0>(info.param))]) +
         (std::get<1>(info.param) ? "IntegerLevels" : "RealLevels");
}

INSTANTIATE_TEST_SUITE_P(Kinds, ReadPanelTest,
                         testing::Combine(testing::Values(Kind::kIdeal, Kind::kCoarse, Kind::kWholeLevels,
                                                          Kind::kSaturating),
                                          testing::Bool()),
                         CaseName);

// The most flips that a test may excuse: without this, a slack as wide as the converter's step would hide everything.
TEST(ReadPanel, SlackIsRarelyACode) {
  Problem<float> problem(64, 64, 13, 3, 2, false, MakeReadout(Kind::kCoarse, 64));
  int excused = 0;
  for (int v = 0; v < 13; ++v) {
    for (int j = 0; j < 64; ++j) excused += problem.Slack(v, j) > 0.1;
  }
  EXPECT_LT(excused, 13 * 64 / 50);
}

TEST(ReadPanel, EmptySizesAddNothing) {
  for (const auto& [rows, vectors, matrices] : {std::tuple{0, 3, 2}, std::tuple{4, 0, 2}, std::tuple{4, 3, 0}}) {
    Problem<float> problem(rows, 16, vectors, 2, matrices, true, Readout());
    const std::vector<double> before = problem.sums;
    ReadPanel(problem.reads);
    EXPECT_EQ(problem.sums, before);
  }
}

TEST(ReadPanel, RefusesOtherPanels) {
  Problem<float> problem(4, 32, 2, 1, 1, true, Readout());
  PanelReads<float> reads = problem.reads;
  reads.cols = 24;
  EXPECT_THROW(ReadPanel(reads), std::invalid_argument);
  reads.cols = 128;
  EXPECT_THROW(ReadPanel(reads), std::invalid_argument);
  reads = problem.reads;
  reads.rows = -1;
  EXPECT_THROW(ReadPanel(reads), std::invalid_argument);
  reads = problem.reads;
  reads.levels += 1;
  EXPECT_THROW(ReadPanel(reads), std::invalid_argument);
}

TEST(ConvertCurrents, IsTheConverterOnEveryTarget) {
  ForEachHwyTarget([] {
    for (const Kind kind : {Kind::kIdeal, Kind::kCoarse, Kind::kWholeLevels, Kind::kSaturating}) {
      const Readout readout = MakeReadout(kind, 10);
      for (const int cols : {0, 16, 48}) {
        std::vector<double> currents(cols);
        for (int j = 0; j < cols; ++j) currents[j] = 2.37 * j - 10;  // beyond both ends
        std::vector<double> sums(cols, 5);
        ConvertCurrents(readout, currents.data(), cols, 1.7, -4, sums.data());
        for (int j = 0; j < cols; ++j) ASSERT_EQ(sums[j], 5 - 4 * readout.Apply(currents[j], 1.7));
      }
    }
  });
  EXPECT_THROW(ConvertCurrents(Readout(), nullptr, 8, 0, 1, nullptr), std::invalid_argument);
}

// Digits, put together again, are the codes.
template <typename T>
void CutAndRejoin(int rows, int dac_bits, int input_bits, int passes) {
  const int vectors = 3;
  const int streams = (input_bits + dac_bits - 1) / dac_bits;
  const int stride = rows + 5;
  std::mt19937 engine(7);
  const int most = (1 << input_bits) - 1;
  std::uniform_int_distribution<int> code(passes == 2 ? -most : 0, most);
  std::vector<std::int32_t> codes(vectors * stride);
  for (std::int32_t& c : codes) c = code(engine);

  std::vector<T> digits(passes * streams * vectors * rows, T{-1});
  std::vector<double> sums(passes * streams * vectors, -1);
  DigitCut<T> cut;
  cut.codes = codes.data();
  cut.code_stride = stride;
  cut.rows = rows;
  cut.vectors = vectors;
  cut.streams = streams;
  cut.passes = passes;
  cut.dac_bits = dac_bits;
  cut.digits = digits.data();
  cut.digit_sums = sums.data();
  CutDigits(cut);

  for (int v = 0; v < vectors; ++v) {
    for (int i = 0; i < rows; ++i) {
      std::int64_t joined = 0;
      for (int pass = 0; pass < passes; ++pass) {
        for (int s = 0; s < streams; ++s) {
          const T digit = digits[((pass * streams + s) * vectors + v) * rows + i];
          ASSERT_GE(digit, 0);
          ASSERT_LT(digit, 1 << dac_bits);
          joined += (pass == 0 ? 1 : -1) * (static_cast<std::int64_t>(digit) << (s * dac_bits));
        }
      }
      ASSERT_EQ(joined, codes[v * stride + i]);
    }
  }
  for (int read = 0; read < passes * streams * vectors; ++read) {
    double sum = 0;
    for (int i = 0; i < rows; ++i) sum += digits[read * rows + i];
    ASSERT_EQ(sums[read], sum);
  }
}

TEST(CutDigits, RejoinOnEveryTarget) {
  ForEachHwyTarget([] {
    for (const int rows : {1, 3, 4, 7, 8, 15, 16, 17, 33, 64}) {
      for (const auto& [dac_bits, input_bits] :
           {std::pair{1, 8}, std::pair{3, 8}, std::pair{8, 8}, std::pair{16, 16}}) {
        for (const int passes : {1, 2}) {
          CutAndRejoin<float>(rows, dac_bits, input_bits, passes);
          CutAndRejoin<double>(rows, dac_bits, input_bits, passes);
        }
      }
    }
  });
}

}  // namespace
}  // namespace rxnn
