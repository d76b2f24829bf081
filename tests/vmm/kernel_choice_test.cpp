#include "vmm/kernel_choice.hpp"

#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "hwy/highway.h"
#include "hwy/targets.h"

namespace rxnn {
namespace {

TEST(KernelChoice, KnowsItsNames) {
  EXPECT_EQ(ParseKernel(""), Kernel::kFastest);
  EXPECT_EQ(ParseKernel("table"), Kernel::kTable);
  EXPECT_EQ(ParseKernel("multiply"), Kernel::kMultiply);
  EXPECT_THROW(ParseKernel("fast"), std::invalid_argument);
}

TEST(KernelChoice, ExcludesBetterTargets) {
  EXPECT_EQ(ParseTarget(""), 0);
  const std::int64_t excluded = ParseTarget("baseline");
  EXPECT_EQ(excluded & HWY_STATIC_TARGET, 0);
  EXPECT_EQ((hwy::SupportedTargets() & HWY_TARGETS) & ~excluded & ~HWY_STATIC_TARGET, 0);
  if ((hwy::SupportedTargets() & HWY_AVX2) != 0) {
    EXPECT_EQ(ParseTarget("avx2") & HWY_AVX2, 0);
    EXPECT_EQ(ParseTarget("avx2") & HWY_AVX3, hwy::SupportedTargets() & HWY_AVX3);
  }
  if (BestByteProducts() == ByteProducts::kTiles) {
    EXPECT_EQ(ParseTarget("amx"), 0);
  }
  if (BestByteProducts() >= ByteProducts::kVectors) {
    EXPECT_EQ(ParseTarget("vnni"), 0);
  }
  EXPECT_EQ(ProductsOf(""), ByteProducts::kTiles);
  EXPECT_EQ(ProductsOf("vnni"), ByteProducts::kVectors);
  EXPECT_EQ(ProductsOf("avx512"), ByteProducts::kNone);
  try {
    ParseTarget("mmx");
    FAIL() << "mmx was taken";
  } catch (const std::invalid_argument& error) {
    EXPECT_NE(std::string(error.what()).find("baseline"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace rxnn
