#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <stdexcept>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"
#include "tests/crossbar/crossbar_problem.hpp"

namespace rxnn {
namespace {

constexpr int kInputs = 70;
constexpr int kOutputs = 9;
constexpr int kRows = 5;

struct Data {
  std::vector<float> weights;
  std::vector<float> x;

  Data() {
    std::mt19937 engine(3);
    std::normal_distribution<float> normal;
    for (int i = 0; i < kInputs * kOutputs; ++i) weights.push_back(normal(engine));
    for (int i = 0; i < kRows * kInputs; ++i) x.push_back(normal(engine));
    // Two rows without negative inputs, one without any input.
    for (int i = kInputs; i < 3 * kInputs; ++i) x[i] = std::fabs(x[i]);
    for (int i = 3 * kInputs; i < 4 * kInputs; ++i) x[i] = 0;
  }
};

std::vector<float> Product(const Hardware& hardware, const Data& data, int first_row, int rows,
                           std::uint64_t first_read = 0) {
  CrossbarMatrix matrix(hardware, "fc", 1, kInputs, kOutputs);
  matrix.Program(data.weights.data());
  std::vector<float> y(rows * kOutputs);
  CrossbarMatmul(matrix, data.x.data() + first_row * kInputs, rows, first_read, y.data());
  return y;
}

// 16 bits on ideal hardware: the product itself, but for half a code of every weight and input.
TEST(CrossbarMatmul, IsTheProductOnIdealHardware) {
  const Data data;
  Hardware hardware = IdealHardware();
  hardware.weight_bits = 16;
  hardware.input_bits = 16;
  const std::vector<float> y = Product(hardware, data, 0, kRows);
  for (int i = 0; i < kRows; ++i) {
    for (int n = 0; n < kOutputs; ++n) {
      double expected = 0;
      for (int k = 0; k < kInputs; ++k) {
        expected += static_cast<double>(data.x[i * kInputs + k]) * data.weights[n * kInputs + k];
      }
      // 70 terms, each off by half a code of either factor (of at most 4): 4 * 4 * (2^-16 + 2^-17).
      EXPECT_NEAR(y[i * kOutputs + n], expected, 70 * 16 * 2.3e-5);
    }
  }
}

// Rows are images of their own: their neighbours have no influence, not on range, signs or noise.
TEST(CrossbarMatmul, TakesEachRowByItself) {
  const Data data;
  Hardware hardware;
  hardware.adc_bits = 5;
  hardware.read_noise_sigma = 0.05;
  const std::vector<float> all = Product(hardware, data, 0, kRows, 100);
  for (int i = 0; i < kRows; ++i) {
    const std::vector<float> one = Product(hardware, data, i, 1, 100 + i);
    EXPECT_EQ(one, std::vector<float>(all.begin() + i * kOutputs, all.begin() + (i + 1) * kOutputs)) << "row " << i;
  }
}

TEST(CrossbarMatmul, CalibratesOnItsRows) {
  const Data data;
  Hardware hardware = IdealHardware();
  hardware.adc_range = AdcRange::kCalibrated;
  hardware.adc_bits = 8;  // single levels are told apart
  Hardware ideal = hardware;
  ideal.adc_bits = 0;
  EXPECT_EQ(Product(hardware, data, 0, kRows), Product(ideal, data, 0, kRows));
}

TEST(CrossbarMatmul, RefusesGroups) {
  const Data data;
  CrossbarMatrix matrix(IdealHardware(), "fc", 2, kInputs, 1);
  matrix.Program(data.weights.data());
  std::vector<float> y(2);
  EXPECT_THROW(CrossbarMatmul(matrix, data.x.data(), 1, 0, y.data()), std::invalid_argument);
}

}  // namespace
}  // namespace rxnn
