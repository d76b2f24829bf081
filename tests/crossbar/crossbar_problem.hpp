// Random layers on random hardware, and what they should compute.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <random>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/mapping.hpp"

namespace rxnn {

inline std::ostream& operator<<(std::ostream& out, const Hardware& h) {
  return out << h.rows << " x " << h.cols << ", weights " << h.weight_bits << "/" << h.cell_bits
             << (h.signed_weights == SignedWeights::kOffset ? " OFFSET" : " DIFFERENTIAL")
             << (h.subtraction == Subtraction::kAnalog ? " ANALOG" : " DIGITAL") << ", inputs " << h.input_bits << "/"
             << h.dac_bits << ", adc " << h.adc_bits;
}

// Hardware without any flaw: ideal wires, cells and converters.
inline Hardware IdealHardware() {
  Hardware hardware;
  hardware.wires = WireResistances();
  hardware.adc_bits = 0;
  return hardware;
}

// A layer of one matrix with weights and input vectors.
struct Problem {
  int groups = 1;
  int inputs = 0;
  int outputs = 0;
  int count = 0;
  bool has_negative = false;
  std::vector<float> weights;       // (groups * outputs) x inputs
  std::vector<std::int32_t> codes;  // count x inputs

  Problem(const Hardware& hardware, int groups, int inputs, int outputs, int count, bool has_negative, unsigned seed)
      : groups(groups), inputs(inputs), outputs(outputs), count(count), has_negative(has_negative) {
    std::mt19937 engine(seed);
    std::normal_distribution<float> weight;
    weights.resize(static_cast<std::size_t>(groups) * outputs * inputs);
    for (float& w : weights) w = weight(engine);
    const int most = hardware.max_input_code();
    std::uniform_int_distribution<std::int32_t> code(has_negative ? -most : 0, most);
    codes.resize(static_cast<std::size_t>(count) * inputs);
    for (std::int32_t& c : codes) c = code(engine);
    // The extremes are there.
    codes.front() = most;
    if (has_negative) codes.back() = -most;
  }

  std::vector<double> Multiply(const CrossbarMatrix& matrix, int group = 0, std::uint64_t first_read = 0) const {
    std::vector<double> sums(static_cast<std::size_t>(count) * outputs, -1);
    matrix.Multiply(group, codes.data(), count, has_negative, first_read, sums.data());
    return sums;
  }

  std::vector<double> MultiplyReference(const CrossbarMatrix& matrix, int group = 0,
                                        std::uint64_t first_read = 0) const {
    std::vector<double> sums(static_cast<std::size_t>(count) * outputs, -1);
    matrix.MultiplyReference(group, codes.data(), count, has_negative, first_read, sums.data());
    return sums;
  }

  // codes * W_q of one group, in integers.
  std::vector<double> IntegerProduct(const Hardware& hardware, int group = 0) const {
    const WeightCodes w = QuantizeWeights(hardware, weights.data(), groups * outputs, inputs);
    std::vector<double> sums;
    for (int v = 0; v < count; ++v) {
      for (int n = 0; n < outputs; ++n) {
        std::int64_t sum = 0;
        for (int k = 0; k < inputs; ++k) {
          const std::int64_t weight = w.codes[(static_cast<std::size_t>(group) * outputs + n) * inputs + k];
          sum += weight * codes[static_cast<std::size_t>(v) * inputs + k];
        }
        sums.push_back(static_cast<double>(sum));
      }
    }
    return sums;
  }
};

inline std::vector<float> LevelsOf(const CrossbarMatrix& matrix) {
  std::vector<float> levels(matrix.num_levels());
  matrix.CopyLevels(levels.data());
  return levels;
}

// Fields that decide how weights and inputs are cut, at random; arrays small enough for tests.
template <typename Engine>
Hardware RandomScheme(Engine& engine) {
  const auto pick = [&engine](int low, int high) { return std::uniform_int_distribution<int>(low, high)(engine); };
  Hardware hardware = IdealHardware();
  hardware.rows = pick(1, 80);
  hardware.cols = pick(1, 100);
  hardware.weight_bits = pick(2, 16);
  hardware.cell_bits = pick(1, std::min(hardware.weight_bits, 6));
  hardware.input_bits = pick(1, 16);
  hardware.dac_bits = pick(1, std::min(hardware.input_bits, 6));
  hardware.signed_weights = pick(0, 2) == 0 ? SignedWeights::kOffset : SignedWeights::kDifferential;
  hardware.subtraction = pick(0, 1) == 0 ? Subtraction::kAnalog : Subtraction::kDigital;
  hardware.weight_scale = pick(0, 1) == 0 ? WeightScale::kColumn : WeightScale::kLayer;
  return hardware;
}

}  // namespace rxnn
