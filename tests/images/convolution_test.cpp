#include "rxnn/convolution.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>
#include <random>
#include <vector>

#include "tests/support/hwy_targets.hpp"

namespace rxnn {
namespace {

int Product(const std::vector<int>& values) {
  return std::accumulate(values.begin(), values.end(), 1, std::multiplies<int>());
}

std::vector<int> Coordinates(int index, const std::vector<int>& shape) {
  std::vector<int> coordinates(shape.size());
  for (std::size_t axis = shape.size(); axis-- > 0; index /= shape[axis]) coordinates[axis] = index % shape[axis];
  return coordinates;
}

ConvolutionGeometry MakeGeometry(const std::vector<int>& input, const std::vector<int>& kernel,
                                 const std::vector<int>& stride, const std::vector<int>& pad,
                                 const std::vector<int>& dilation) {
  ConvolutionGeometry geometry{input, {}, kernel, stride, pad, dilation};
  for (std::size_t axis = 0; axis < input.size(); ++axis) {
    const int reach = (kernel[axis] - 1) * dilation[axis] + 1;
    geometry.output.push_back((input[axis] + 2 * pad[axis] - reach) / stride[axis] + 1);
  }
  return geometry;
}

// The value under row `row` of the patch at `position` of one group: 0 in the padding.
float PatchValue(const ConvolutionGeometry& geometry, const float* group, int row, int position) {
  const int kernel_size = Product(geometry.kernel);
  const std::vector<int> out = Coordinates(position, geometry.output);
  const std::vector<int> k = Coordinates(row % kernel_size, geometry.kernel);
  std::int64_t at = row / kernel_size;
  for (std::size_t axis = 0; axis < out.size(); ++axis) {
    const int x = out[axis] * geometry.stride[axis] - geometry.pad[axis] + k[axis] * geometry.dilation[axis];
    if (x < 0 || x >= geometry.input[axis]) return 0;
    at = at * geometry.input[axis] + x;
  }
  return group[at];
}

// Whole numbers, which are their own codes when the range is the largest code.
void CheckPatches(const ConvolutionGeometry& geometry, int groups, int channels, int images, int input_bits,
                  bool has_negative) {
  Hardware hardware;
  hardware.input_bits = input_bits;
  hardware.input_range = hardware.max_input_code();
  const int group_size = channels * Product(geometry.input);
  std::mt19937 engine(static_cast<unsigned>(group_size * 64 + input_bits));
  std::uniform_int_distribution<int> value(has_negative ? -hardware.max_input_code() : 0, hardware.max_input_code());
  std::vector<float> data(static_cast<std::size_t>(images) * groups * group_size);
  for (float& x : data) x = static_cast<float>(value(engine));

  ConvolutionVectors vectors(hardware, geometry, groups, channels);
  vectors.Encode(data.data(), images);
  const int positions = vectors.positions();
  const int rows = vectors.patch_size();
  ASSERT_EQ(positions, Product(geometry.output));
  ASSERT_EQ(rows, channels * Product(geometry.kernel));
  ASSERT_EQ(vectors.count(), images * positions);

  std::vector<std::uint8_t> buffer;
  for (const auto& [first, count] : {std::pair{0, vectors.count()}, std::pair{vectors.count() / 3, 7}}) {
    if (first + count > vectors.count()) continue;
    for (const auto& [first_row, some_rows] : {std::pair{0, rows}, std::pair{rows / 2, (rows + 1) / 2 - rows / 4}}) {
      for (int group = 0; group < groups; ++group) {
        for (int pass = 0; pass < (has_negative ? 2 : 1); ++pass) {
          for (int byte = 0; byte < (input_bits > 8 ? 2 : 1); ++byte) {
            const InputVectors::Rows patches =
                vectors.Load({group, first, count, first_row, some_rows, pass, byte}, &buffer);
            for (int v = 0; v < count; ++v) {
              const int image = (first + v) / positions;
              const float* of_group = data.data() + (image * groups + group) * static_cast<std::int64_t>(group_size);
              for (int i = 0; i < some_rows; ++i) {
                const float x = PatchValue(geometry, of_group, first_row + i, (first + v) % positions);
                const int magnitude = static_cast<int>(std::max(pass == 0 ? x : -x, 0.0f));
                ASSERT_EQ(patches.data[v * patches.stride + i], magnitude >> (8 * byte) & 0xFF)
                    << "vector " << first + v << ", row " << first_row + i << ", group " << group << ", pass " << pass;
              }
            }
          }
        }
      }
    }
  }
}

TEST(ConvolutionVectors, ReadWhatTheKernelSeesOnEveryTarget) {
  ForEachHwyTarget([] {
    CheckPatches(MakeGeometry({5, 4}, {2, 3}, {2, 1}, {1, 2}, {2, 1}), 1, 2, 2, 8, false);
    CheckPatches(MakeGeometry({9, 23}, {3, 3}, {1, 1}, {1, 1}, {1, 1}), 2, 3, 3, 8, true);
    CheckPatches(MakeGeometry({7, 6}, {1, 1}, {1, 1}, {0, 0}, {1, 1}), 1, 20, 2, 8, false);  // runs over all rows
    CheckPatches(MakeGeometry({19, 40}, {5, 5}, {2, 2}, {2, 0}, {1, 1}), 1, 1, 2, 12, true);
    CheckPatches(MakeGeometry({9, 150}, {3, 3}, {2, 4}, {0, 1}, {1, 1}), 1, 2, 2, 8, true);
    CheckPatches(MakeGeometry({31, 33}, {3, 3}, {4, 3}, {0, 1}, {1, 2}), 1, 2, 1, 16, true);
  });
}

TEST(ConvolutionVectors, HaveAnyNumberOfAxes) {
  CheckPatches(MakeGeometry({}, {}, {}, {}, {}), 1, 5, 3, 8, false);
  CheckPatches(MakeGeometry({50}, {4}, {3}, {2}, {1}), 3, 2, 2, 8, true);
  CheckPatches(MakeGeometry({4, 5, 6}, {2, 1, 3}, {1, 2, 1}, {1, 0, 1}, {1, 1, 2}), 1, 2, 2, 8, false);
}

// Planes of one product are not those of the next.
TEST(ConvolutionVectors, AreWhatWasEncodedLast) {
  Hardware hardware;
  hardware.input_range = 255;
  ConvolutionVectors vectors(hardware, MakeGeometry({3, 3}, {3, 3}, {1, 1}, {1, 1}, {1, 1}), 1, 1);
  std::vector<std::uint8_t> buffer;
  for (const float x : {9.0f, 200.0f}) {
    const std::vector<float> image(9, x);
    vectors.Encode(image.data(), 1);
    const InputVectors::Rows patches = vectors.Load({0, 0, 1, 0, 9, 0, 0}, &buffer);
    const std::vector<int> corner(patches.data, patches.data + 9);
    const int code = static_cast<int>(x);
    EXPECT_EQ(corner, (std::vector<int>{0, 0, 0, 0, code, code, 0, code, code}));
  }
}

// Groups that share arrays: their patches one above the other, zeros for a group that is not there.
TEST(ConvolutionVectors, StackThePatchesOfGroupsThatShareArrays) {
  const Hardware hardware;
  const ConvolutionGeometry geometry = MakeGeometry({6, 7}, {3, 2}, {1, 2}, {1, 0}, {1, 1});
  std::vector<float> images(2 * 5 * 2 * 6 * 7);
  for (std::size_t i = 0; i < images.size(); ++i) images[i] = static_cast<float>(i % 97) - 30;
  ConvolutionVectors apart(hardware, geometry, 5, 2);
  ConvolutionVectors stacked(hardware, geometry, 5, 2, 3);
  apart.Encode(images.data(), 2);
  stacked.Encode(images.data(), 2);
  const int rows = apart.patch_size();
  ASSERT_EQ(stacked.patch_size(), 3 * rows);
  ASSERT_EQ(stacked.count(), apart.count());
  std::vector<std::uint8_t> buffer, of_group;
  for (int pack = 0; pack < 2; ++pack) {
    for (int pass = 0; pass < 2; ++pass) {
      const InputVectors::Rows all = stacked.Load({pack, 0, apart.count(), 0, 3 * rows, pass, 0}, &buffer);
      for (int member = 0; member < 3; ++member) {
        const int group = 3 * pack + member;
        InputVectors::Rows one;
        if (group < 5) one = apart.Load({group, 0, apart.count(), 0, rows, pass, 0}, &of_group);
        for (int v = 0; v < apart.count(); ++v) {
          for (int i = 0; i < rows; ++i) {
            const int expected = group < 5 ? one.data[v * one.stride + i] : 0;
            ASSERT_EQ(all.data[v * all.stride + member * rows + i], expected) << group << ", " << v << ", " << i;
          }
        }
      }
    }
  }
}

TEST(ConvolutionVectors, ScaleEachImageByItself) {
  const Hardware hardware;
  ConvolutionVectors vectors(hardware, MakeGeometry({2}, {1}, {1}, {0}, {1}), 1, 1);
  const std::vector<float> images = {1, 2, -8, 4};
  vectors.Encode(images.data(), 2);
  EXPECT_EQ(vectors.scale(1).range, 2);
  EXPECT_FALSE(vectors.scale(1).has_negative);
  EXPECT_EQ(vectors.scale(2).range, 8);
  EXPECT_TRUE(vectors.scale(2).has_negative);
  std::vector<std::uint8_t> buffer;
  EXPECT_EQ(vectors.Load({0, 1, 1, 0, 1, 0, 0}, &buffer).data[0], 255);
  EXPECT_EQ(vectors.Load({0, 2, 1, 0, 1, 1, 0}, &buffer).data[0], 255);
}

TEST(StorePlanes, TurnsAndScalesOnEveryTarget) {
  ForEachHwyTarget([] {
    for (const int vectors : {1, 3, 16, 17, 40}) {
      for (const int outputs : {1, 4, 15, 16, 33, 64}) {
        std::vector<double> sums(vectors * 70), factors(outputs);
        std::vector<float> bias(outputs);
        std::mt19937 engine(3);
        std::uniform_real_distribution<double> real(-100, 100);
        for (double& x : sums) x = real(engine);
        for (double& x : factors) x = real(engine);
        for (float& x : bias) x = static_cast<float>(real(engine));
        for (const float* added : {static_cast<const float*>(bias.data()), static_cast<const float*>(nullptr)}) {
          const float slope = added ? 0.25f : 1.0f;
          std::vector<float> out(outputs * 50, 7.0f);
          StorePlanes(sums.data(), 70, vectors, outputs, {factors.data(), added, slope}, out.data(), 50);
          for (int n = 0; n < outputs; ++n) {
            for (int v = 0; v < 50; ++v) {
              const float scaled = static_cast<float>(sums[std::min(v, vectors - 1) * 70 + n] * factors[n]);
              const float y = scaled + (added ? added[n] : 0);
              ASSERT_EQ(out[n * 50 + v], v >= vectors ? 7.0f : y < 0 ? y * slope : y);
            }
          }
        }
      }
    }
  });
}

}  // namespace
}  // namespace rxnn
