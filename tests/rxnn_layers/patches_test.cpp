#include "rxnn_layers/patches.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace {

TEST(PatchGatherer, ReadsWhatTheKernelSees) {
  // Two channels of 5 x 4, kernel 2 x 3, stride 2 x 1, pad 1 x 2, dilation 2 x 1; entries are 1 + their index.
  rxnn::ConvolutionGeometry geometry{{5, 4}, {3, 6}, {2, 3}, {2, 1}, {1, 2}, {2, 1}};
  std::vector<std::int32_t> image(2 * 5 * 4);
  std::iota(image.begin(), image.end(), 1);
  const rxnn::PatchGatherer gatherer(geometry, 2);
  ASSERT_EQ(gatherer.patch_size(), 12);
  ASSERT_EQ(gatherer.positions(), 18);

  std::vector<std::int32_t> patches(18 * 12);
  gatherer.Gather(image.data(), 0, 18, patches.data());
  const std::int32_t* patch = patches.data();
  for (int y = 0; y < 3; ++y) {
    for (int x = 0; x < 6; ++x) {
      for (int c = 0; c < 2; ++c) {
        for (int i = 0; i < 2; ++i) {
          for (int j = 0; j < 3; ++j, ++patch) {
            const int row = y * 2 - 1 + i * 2, col = x - 2 + j;
            const bool inside = row >= 0 && row < 5 && col >= 0 && col < 4;
            EXPECT_EQ(*patch, inside ? 1 + (c * 5 + row) * 4 + col : 0) << y << " " << x << " " << c;
          }
        }
      }
    }
  }

  std::vector<std::int32_t> some(5 * 12);
  gatherer.Gather(image.data(), 7, 5, some.data());
  EXPECT_EQ(some, std::vector<std::int32_t>(patches.begin() + 7 * 12, patches.begin() + 12 * 12));
}

}  // namespace
