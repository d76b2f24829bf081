#include "caffe/util/im2col.hpp"

#include <gtest/gtest.h>

#include <numeric>
#include <vector>

namespace caffe {
namespace {

// 3x3 image, 2x2 kernel, stride 2, pad 1: rows are kernel positions, columns the four outputs.
TEST(Im2col, LaysOutKernelPositionsByOutputs) {
  const std::vector<float> image = {1, 2, 3, 4, 5, 6, 7, 8, 9};
  std::vector<float> columns(16, -1);
  im2col_cpu(image.data(), 1, 3, 3, 2, 2, 1, 1, 2, 2, 1, 1, columns.data());
  EXPECT_EQ(columns, (std::vector<float>{0, 0, 0, 5,  //
                                         0, 0, 4, 6,  //
                                         0, 2, 0, 8,  //
                                         1, 3, 7, 9}));
}

struct Geometry {
  int channels;
  std::vector<int> image, kernel, pad, stride, dilation;
};

// col2im is the transpose of im2col: <im2col x, z> = <x, col2im z>, and both n-dimensional forms agree with the plain
// ones. Whole numbers, so that sums are exact.
TEST(Im2col, Col2imIsItsTranspose) {
  const std::vector<Geometry> cases = {{3, {7, 19}, {3, 3}, {1, 1}, {1, 1}, {1, 1}},
                                       {2, {5, 8}, {2, 5}, {1, 4}, {3, 2}, {1, 1}},
                                       {1, {9, 9}, {3, 2}, {0, 3}, {2, 1}, {2, 3}},
                                       {2, {11}, {3}, {2}, {2}, {2}},
                                       {2, {3, 4, 5}, {2, 3, 1}, {1, 0, 2}, {1, 2, 2}, {1, 1, 1}}};
  for (const Geometry& g : cases) {
    const int axes = static_cast<int>(g.image.size());
    std::vector<int> im_shape = {g.channels}, col_shape = {g.channels};
    int image_count = g.channels, column_count = g.channels;
    for (int a = 0; a < axes; ++a) {
      col_shape[0] *= g.kernel[a];
      im_shape.push_back(g.image[a]);
      col_shape.push_back((g.image[a] + 2 * g.pad[a] - (g.dilation[a] * (g.kernel[a] - 1) + 1)) / g.stride[a] + 1);
      image_count *= g.image[a];
      column_count *= g.kernel[a] * col_shape.back();
    }
    std::vector<double> x(image_count), z(column_count), columns(column_count), image(image_count, -1);
    for (int i = 0; i < image_count; ++i) x[i] = i % 7 - 3;
    for (int i = 0; i < column_count; ++i) z[i] = i % 5 - 2;
    im2col_nd_cpu(x.data(), axes, im_shape.data(), col_shape.data(), g.kernel.data(), g.pad.data(), g.stride.data(),
                  g.dilation.data(), columns.data());
    col2im_nd_cpu(z.data(), axes, im_shape.data(), col_shape.data(), g.kernel.data(), g.pad.data(), g.stride.data(),
                  g.dilation.data(), image.data());
    EXPECT_EQ(std::inner_product(columns.begin(), columns.end(), z.begin(), 0.0),
              std::inner_product(x.begin(), x.end(), image.begin(), 0.0));
    if (axes == 2) {
      std::vector<double> plain_columns(column_count), plain_image(image_count);
      im2col_cpu(x.data(), g.channels, g.image[0], g.image[1], g.kernel[0], g.kernel[1], g.pad[0], g.pad[1],
                 g.stride[0], g.stride[1], g.dilation[0], g.dilation[1], plain_columns.data());
      col2im_cpu(z.data(), g.channels, g.image[0], g.image[1], g.kernel[0], g.kernel[1], g.pad[0], g.pad[1],
                 g.stride[0], g.stride[1], g.dilation[0], g.dilation[1], plain_image.data());
      EXPECT_EQ(plain_columns, columns);
      EXPECT_EQ(plain_image, image);
    }
  }
}

}  // namespace
}  // namespace caffe
