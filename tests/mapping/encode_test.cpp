#include "mapping/encode.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <random>
#include <stdexcept>
#include <string>
#include <vector>

#include "tests/support/hwy_targets.hpp"

namespace rxnn {
namespace {

// Inputs that lie on the border between two codes, or a rounding away from it, among others.
std::vector<float> Inputs(int count, int input_bits, bool has_negative) {
  const float range = 2.7f;
  const double step = range / ((1 << input_bits) - 1.0);
  std::mt19937 engine(static_cast<unsigned>(count * 32 + input_bits));
  std::uniform_int_distribution<int> code(0, (1 << input_bits) - 2);
  std::uniform_real_distribution<float> real(has_negative ? -range : 0, range);
  std::vector<float> inputs = {range};
  while (static_cast<int>(inputs.size()) < count) {
    const float border = static_cast<float>((code(engine) + 0.5) * step);
    for (const float x : {border, std::nextafter(border, 0.0f), std::nextafter(border, range), real(engine)}) {
      inputs.push_back(has_negative && code(engine) % 2 == 0 ? -x : x);
    }
  }
  inputs.resize(count);
  return inputs;
}

TEST(EncodeInputs, IsQuantizeInputsOnEveryTarget) {
  for (const int input_bits : {1, 4, 8, 9, 16}) {
    for (const bool has_negative : {false, true}) {
      for (const double given_range : {0.0, 1.9}) {
        for (const int count : {0, 1, 15, 16, 17, 333}) {
          Hardware hardware;
          hardware.input_bits = input_bits;
          hardware.input_range = given_range;
          const std::vector<float> inputs = Inputs(count, input_bits, has_negative);
          std::vector<std::int32_t> codes(count);
          const InputScale expected = QuantizeInputs(hardware, inputs.data(), count, codes.data());
          ForEachHwyTarget([&] {
            const InputScale scale = ScaleOf(hardware, FindRange(inputs.data(), 0, count));
            ASSERT_EQ(scale.range, expected.range);
            ASSERT_EQ(scale.has_negative, expected.has_negative);
            std::vector<std::uint8_t> bytes[2][2];
            CodePlanes planes;
            for (int pass = 0; pass < (scale.has_negative ? 2 : 1); ++pass) {
              for (int byte = 0; byte < (input_bits > 8 ? 2 : 1); ++byte) {
                bytes[pass][byte].assign(count + 1, 99);
                planes.bytes[pass][byte] = bytes[pass][byte].data();
              }
            }
            const auto check = [&] {
              for (int pass = 0; pass < (scale.has_negative ? 2 : 1); ++pass) {
                for (int i = 0; i < count; ++i) {
                  const int magnitude = std::max(pass == 0 ? codes[i] : -codes[i], 0);
                  ASSERT_EQ(bytes[pass][0][i], magnitude & 0xFF) << inputs[i] << " of " << input_bits << " bits";
                  if (input_bits > 8) {
                    ASSERT_EQ(bytes[pass][1][i], magnitude >> 8);
                  }
                }
                ASSERT_EQ(bytes[pass][0][count], 99);  // nothing beyond
              }
            };
            EncodeInputs(hardware, inputs.data(), count, scale, planes);
            check();
            for (auto& of_pass : bytes) {
              if (!of_pass[0].empty()) of_pass[0].assign(count + 1, 99);
            }
            SplitCodes(codes.data(), count, scale.has_negative, planes);
            check();
          });
        }
      }
    }
  }
}

TEST(EncodeInputs, TakesNothingButZeros) {
  const std::vector<float> inputs(37, 0.0f);
  const Hardware hardware;
  const InputScale scale = ScaleOf(hardware, FindRange(inputs.data(), 0, 37));
  EXPECT_EQ(scale.range, 0);
  EXPECT_FALSE(scale.has_negative);
  std::vector<std::uint8_t> bytes(37, 99);
  CodePlanes planes;
  planes.bytes[0][0] = bytes.data();
  EncodeInputs(hardware, inputs.data(), 37, scale, planes);
  EXPECT_EQ(bytes, std::vector<std::uint8_t>(37, 0));
}

TEST(FindRange, NamesTheInputThatIsNotFinite) {
  for (const float bad : {std::numeric_limits<float>::infinity(), -std::numeric_limits<float>::infinity(),
                          std::numeric_limits<float>::quiet_NaN()}) {
    for (const int at : {5, 20, 49}) {
      std::vector<float> inputs(50, 1.0f);
      inputs[at] = bad;
      ForEachHwyTarget([&] {
        try {
          FindRange(inputs.data(), 3, 50);
          FAIL() << bad << " was taken";
        } catch (const std::invalid_argument& error) {
          EXPECT_NE(std::string(error.what()).find("input " + std::to_string(at) + " is"), std::string::npos)
              << error.what();
        }
        FindRange(inputs.data(), 0, at);  // what is not asked for is not looked at
      });
    }
  }
}

}  // namespace
}  // namespace rxnn
