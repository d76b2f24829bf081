#include "vmm/folded.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <stdexcept>
#include <vector>

#include "hwy/aligned_allocator.h"
#include "tests/support/hwy_targets.hpp"
#include "tests/support/tolerance.hpp"
#include "vmm/byte_products.hpp"
#include "vmm/byte_reads.hpp"

namespace rxnn {
namespace {

struct Problem {
  FoldedReads reads;
  std::vector<float> codes;
  hwy::AlignedFreeUniquePtr<float[]> levels;
  std::vector<double> sums;

  // `whole`: levels are integers, as on ideal cells.
  Problem(int rows, int cols, int vectors, bool whole, bool add) {
    std::mt19937 engine(static_cast<unsigned>(rows * 1000003 + cols * 1009 + vectors));
    std::uniform_int_distribution<int> code(-255, 255), integer(-127, 127);
    std::uniform_real_distribution<float> real(-127, 127);
    reads.row_stride = (rows + kFoldedPad - 1) / kFoldedPad * kFoldedPad;
    codes.assign(vectors * reads.row_stride, NAN);  // what is beyond the rows is not used
    for (int v = 0; v < vectors; ++v) {
      for (int i = 0; i < rows; ++i) codes[v * reads.row_stride + i] = static_cast<float>(code(engine));
    }
    levels = hwy::AllocateAligned<float>(rows * cols);
    for (int i = 0; i < rows * cols; ++i) levels[i] = whole ? static_cast<float>(integer(engine)) : real(engine);
    for (int i = 0; i < vectors * cols; ++i) sums.push_back(i % 7 * 1e9);
    reads.rows = rows;
    reads.cols = cols;
    reads.vectors = vectors;
    reads.codes = codes.data();
    reads.levels = levels.get();
    reads.add = add;
  }

  // By products of bytes: positive codes, then the magnitudes of negative ones.
  std::vector<double> FromBytes(bool whole) {
    std::vector<double> result = sums;
    FoldedByteReads by_bytes;
    by_bytes.rows = reads.rows;
    by_bytes.cols = reads.cols;
    by_bytes.vectors = reads.vectors;
    by_bytes.cut = LevelBytes::Make(127, whole, 8, reads.rows).value();
    const auto bytes = hwy::AllocateAligned<std::int8_t>(by_bytes.cut.panel_bytes(reads.rows, reads.cols));
    CutLevels(by_bytes.cut, levels.get(), reads.cols, reads.rows, reads.cols, 0, bytes.get());
    by_bytes.bytes = bytes.get();
    by_bytes.sums = result.data();
    std::vector<std::int32_t> order(reads.vectors);
    std::iota(order.begin(), order.end(), 0);
    const std::int32_t first[] = {0, 0, reads.vectors};
    std::vector<ByteUnit> units;
    MakeUnits(first, 1, &units);
    const auto digits = hwy::AllocateAligned<std::uint8_t>(by_bytes.cut.unit_bytes(reads.rows) * units.size());
    by_bytes.codes = digits.get();
    for (const bool negative : {false, true}) {
      std::vector<std::uint8_t> magnitudes;
      for (int v = 0; v < reads.vectors; ++v) {
        for (int i = 0; i < reads.rows; ++i) {
          const float code = codes[v * reads.row_stride + i];
          magnitudes.push_back(static_cast<std::uint8_t>(std::max(negative ? -code : code, 0.0f)));
        }
      }
      magnitudes.resize(magnitudes.size() + kByteRows, 255);
      CutByteDigits({magnitudes.data(), nullptr, reads.rows, reads.rows, reads.vectors, 1, 8}, 1, order.data(),
                    units.data(), static_cast<int>(units.size()), digits.get());
      by_bytes.negative = negative;
      by_bytes.add = negative || reads.add;
      ReadFoldedBytes(by_bytes);
    }
    return result;
  }

  std::vector<double> Read(void (*read)(const FoldedReads&)) {
    std::vector<double> result = sums;
    reads.sums = result.data();
    read(reads);
    return result;
  }
};

TEST(ReadFolded, EqualsReferenceOnEveryTarget) {
  for (const int rows : {1, 15, 16, 64, 130}) {
    for (const int cols : {16, 32, 48, 64}) {
      for (const int vectors : {1, 2, 3, 4, 5, 6, 23, 24, 31, 50}) {
        for (const bool whole : {false, true}) {
          Problem problem(rows, cols, vectors, whole, vectors % 2 == 0);
          const std::vector<double> expected = problem.Read(ReadFoldedReference);
          ForEachHwyTarget([&] {
            const std::vector<double> actual = problem.Read(ReadFolded);
            if (whole) {
              ASSERT_EQ(actual, expected) << rows << " x " << cols << ", " << vectors << " vectors";
              return;
            }
            const double tolerance = tolerance::SumTolerance(rows, rows * 255.0 * 127.0);
            for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[i], expected[i], tolerance);
          });
        }
      }
    }
  }
}

TEST(ReadFolded, BytesEqualReference) {
  if (BestByteProducts() == ByteProducts::kNone) GTEST_SKIP() << "this machine has no products of bytes";
  for (const int rows : {1, 15, 64, 130, 256}) {
    for (const int cols : {16, 48, 64}) {
      for (const int vectors : {1, 16, 23, 64, 65, 200}) {
        for (const bool whole : {false, true}) {
          Problem problem(rows, cols, vectors, whole, vectors % 2 == 0);
          const std::vector<double> expected = problem.Read(ReadFoldedReference);
          ForEachByteProducts([&] {
            const std::vector<double> actual = problem.FromBytes(whole);
            if (whole) {
              ASSERT_EQ(actual, expected) << rows << " x " << cols << ", " << vectors << " vectors";
              return;
            }
            const double tolerance = tolerance::LevelUnits(127, rows * 255.0) + 1e10 * tolerance::kDoubleEps;
            for (std::size_t i = 0; i < expected.size(); ++i) ASSERT_NEAR(actual[i], expected[i], tolerance);
          });
        }
      }
    }
  }
}

TEST(ReadFolded, RefusesOtherPanels) {
  Problem problem(4, 32, 2, true, false);
  problem.reads.sums = problem.sums.data();
  FoldedReads reads = problem.reads;
  reads.cols = 24;
  EXPECT_THROW(ReadFolded(reads), std::invalid_argument);
  reads = problem.reads;
  reads.levels += 1;
  EXPECT_THROW(ReadFolded(reads), std::invalid_argument);
}

TEST(JoinCodes, PutsSignsAndBytesTogetherOnEveryTarget) {
  const int rows = 21, vectors = 3, stride = 25;
  std::mt19937 engine(5);
  std::uniform_int_distribution<int> code(-65535, 65535);
  for (const bool has_negative : {false, true}) {
    for (const bool two_bytes : {false, true}) {
      std::vector<int> codes;
      std::vector<std::uint8_t> bytes[2][2];
      for (int i = 0; i < vectors * stride + kFoldedPad; ++i) {
        int c = code(engine) >> (two_bytes ? 0 : 8);
        if (!has_negative) c = std::abs(c);
        codes.push_back(c);
        for (int pass = 0; pass < 2; ++pass) {
          const int magnitude = std::max(pass == 0 ? c : -c, 0);
          bytes[pass][0].push_back(static_cast<std::uint8_t>(magnitude));
          bytes[pass][1].push_back(static_cast<std::uint8_t>(magnitude >> 8));
        }
      }
      CodeBytes planes;
      planes.rows = rows;
      planes.vectors = vectors;
      planes.stride = stride;
      for (int pass = 0; pass < (has_negative ? 2 : 1); ++pass) {
        planes.low[pass] = bytes[pass][0].data();
        if (two_bytes) planes.high[pass] = bytes[pass][1].data();
      }
      ForEachHwyTarget([&] {
        std::vector<float> joined(vectors * 32);
        JoinCodes(planes, 32, joined.data());
        for (int v = 0; v < vectors; ++v) {
          for (int i = 0; i < rows; ++i) ASSERT_EQ(joined[v * 32 + i], codes[v * stride + i]);
        }
      });
    }
  }
}

}  // namespace
}  // namespace rxnn
