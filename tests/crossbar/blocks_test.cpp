#include "crossbar/blocks.hpp"

#include <gtest/gtest.h>
#include <omp.h>

#include <algorithm>
#include <vector>

namespace rxnn {
namespace {

// Vectors of which only the signs are known.
class Signs : public InputVectors {
 public:
  explicit Signs(std::vector<bool> has_negative) : has_negative_(std::move(has_negative)) {}
  int count() const override { return static_cast<int>(has_negative_.size()); }
  InputScale scale(int vector) const override { return {1, has_negative_[vector]}; }
  Rows Load(const Piece&, std::vector<std::uint8_t>*) const override { return {}; }

 private:
  std::vector<bool> has_negative_;
};

void CheckBlocks(const Signs& signs, int num_panels, const BlockLimits& limits) {
  const Batch batch{signs, 1, 2, 0};
  std::vector<int> seen(2 * signs.count() * num_panels, 0);
  for (const Block& block : CutBlocks(batch, num_panels, limits)) {
    EXPECT_GT(block.vectors, 0);
    EXPECT_LE(block.vectors, std::max(limits.most_vectors, limits.step));
    EXPECT_LE(block.last_panel - block.first_panel, limits.most_panels);
    for (int v = block.first_vector; v < block.first_vector + block.vectors; ++v) {
      EXPECT_EQ(signs.scale(v).has_negative, block.has_negative);
      for (int p = block.first_panel; p < block.last_panel; ++p) {
        ++seen[((block.group - 1) * signs.count() + v) * num_panels + p];
      }
    }
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), static_cast<std::ptrdiff_t>(seen.size()));
}

TEST(CutBlocks, CoversEverythingOnce) {
  BlockLimits limits;
  limits.digit_bytes = 1000;
  limits.step = 12;
  limits.efficient_vectors = 24;
  limits.most_vectors = 96;
  limits.most_panels = 4;
  const int threads = omp_get_max_threads();
  for (const int count : {1, 3}) {
    omp_set_num_threads(count);
    for (const std::int64_t bytes : {1, 20, 5000}) {
      limits.bytes_per_vector = bytes;
      for (const int vectors : {0, 1, 12, 13, 300}) {
        std::vector<bool> signs(vectors, false);
        CheckBlocks(Signs(signs), 1, limits);
        CheckBlocks(Signs(signs), 9, limits);
        for (int v = vectors / 3; v < vectors / 2; ++v) signs[v] = true;
        CheckBlocks(Signs(signs), 3, limits);
      }
    }
  }
  omp_set_num_threads(threads);
}

TEST(CutBlocks, HasWorkForAllThreads) {
  BlockLimits limits;
  limits.digit_bytes = 1 << 20;
  limits.step = 12;
  limits.efficient_vectors = 96;
  limits.most_vectors = 192;
  limits.most_panels = 16;
  const int threads = omp_get_max_threads();
  omp_set_num_threads(2);
  const Signs one(std::vector<bool>(1, false)), many(std::vector<bool>(169, false));
  EXPECT_GE(CutBlocks({one, 0, 1, 0}, 64, limits).size(), 2u);
  EXPECT_GE(CutBlocks({many, 0, 1, 0}, 1, limits).size(), 2u);
  omp_set_num_threads(threads);
}

TEST(CodedVectors, HoldCodesInBytes) {
  Hardware hardware;
  hardware.input_bits = 12;
  const std::vector<std::int32_t> codes = {0, 4095, -4095, 258, -1, 255};
  const CodedVectors vectors(hardware, codes.data(), 2, 3, true);
  EXPECT_EQ(vectors.count(), 2);
  std::vector<std::uint8_t> buffer;
  for (int pass = 0; pass < 2; ++pass) {
    for (int byte = 0; byte < 2; ++byte) {
      const InputVectors::Rows rows = vectors.Load({0, 0, 2, 1, 2, pass, byte}, &buffer);
      for (int v = 0; v < 2; ++v) {
        for (int i = 0; i < 2; ++i) {
          const int code = codes[v * 3 + 1 + i];
          EXPECT_EQ(rows.data[v * rows.stride + i], std::max(pass == 0 ? code : -code, 0) >> (8 * byte) & 0xFF);
        }
      }
    }
  }
}

TEST(CodedVectors, ScaleEachVectorByItself) {
  const Hardware hardware;
  const std::vector<float> x = {1, 0.5f, -4, 2};
  const CodedVectors vectors(hardware, x.data(), 2, 2);
  EXPECT_EQ(vectors.scale(0).range, 1);
  EXPECT_FALSE(vectors.scale(0).has_negative);
  EXPECT_EQ(vectors.scale(1).range, 4);
  EXPECT_TRUE(vectors.scale(1).has_negative);
  std::vector<std::uint8_t> buffer;
  EXPECT_EQ(vectors.Load({0, 0, 1, 0, 2, 0, 0}, &buffer).data[1], 128);  // 127.5, half to even
  EXPECT_EQ(vectors.Load({0, 1, 1, 0, 2, 1, 0}, &buffer).data[0], 255);
}

}  // namespace
}  // namespace rxnn
