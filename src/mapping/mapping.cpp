#include "rxnn/mapping.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

namespace rxnn {
namespace {

// The largest magnitude; throws for a value that is not finite, calling it a `what`.
float LargestMagnitude(const float* values, std::int64_t count, const char* what) {
  float largest = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    if (!std::isfinite(values[i])) {
      std::ostringstream message;
      message << what << " " << i << " is " << values[i] << ", expected a finite number";
      throw std::invalid_argument(message.str());
    }
    largest = std::max(largest, std::fabs(values[i]));
  }
  return largest;
}

// round_half_to_even(value / scale * levels), 0 where the scale is 0.
std::int32_t Code(float value, float scale, int levels) {
  if (scale == 0) return 0;
  return static_cast<std::int32_t>(std::lrint(static_cast<double>(value) / scale * levels));
}

}  // namespace

WeightCodes QuantizeWeights(const Hardware& hardware, const float* weights, int outputs, int inputs) {
  const std::int64_t count = static_cast<std::int64_t>(outputs) * inputs;
  WeightCodes result;
  result.scales.assign(outputs, 0.0f);
  if (hardware.weight_scale == WeightScale::kLayer) {
    std::fill(result.scales.begin(), result.scales.end(), LargestMagnitude(weights, count, "weight"));
  } else {
    for (int n = 0; n < outputs; ++n) {
      result.scales[n] = LargestMagnitude(weights + static_cast<std::int64_t>(n) * inputs, inputs, "weight");
    }
  }
  result.codes.resize(count);
  for (std::int64_t i = 0; i < count; ++i) {
    result.codes[i] = Code(weights[i], result.scales[i / inputs], hardware.max_weight_code());
  }
  return result;
}

int WeightDigit(const Hardware& hardware, std::int32_t code, int slice, int polarity) {
  std::int32_t magnitude;
  if (hardware.signed_weights == SignedWeights::kOffset) {
    magnitude = code + (1 << (hardware.weight_bits - 1));
  } else {
    magnitude = std::max(polarity == 0 ? code : -code, 0);
  }
  return (magnitude >> (slice * hardware.cell_bits)) & ((1 << hardware.cell_bits) - 1);
}

TileGrid::TileGrid(const Hardware& hardware, int inputs, int outputs)
    : inputs(inputs),
      outputs(outputs),
      rows(hardware.rows),
      cols(hardware.cols),
      row_tiles((inputs + rows - 1) / rows),
      col_tiles((outputs + cols - 1) / cols) {}

GroupPacks::GroupPacks(const Hardware& hardware, int groups, int inputs, int outputs)
    : groups(groups), inputs(inputs), outputs(outputs), count(groups) {
  if (hardware.group_packing == GroupPacking::kSeparate) return;
  const int most = std::max(std::min(hardware.rows / inputs, hardware.cols / outputs), 1);
  count = (groups + most - 1) / most;
  together = (groups + count - 1) / count;
  // Spread evenly they may need fewer still.
  count = (groups + together - 1) / together;
}

std::int32_t InputCode(const Hardware& hardware, float input, float range) {
  // Clamped first: an input far beyond a given range would not fit an integer.
  return Code(std::clamp(input, -range, range), range, hardware.max_input_code());
}

InputScale QuantizeInputs(const Hardware& hardware, const float* inputs, std::int64_t count, std::int32_t* codes) {
  InputScale scale;
  const float largest = LargestMagnitude(inputs, count, "input");
  scale.range = hardware.input_range > 0 ? static_cast<float>(hardware.input_range) : largest;
  for (std::int64_t i = 0; i < count; ++i) {
    codes[i] = InputCode(hardware, inputs[i], scale.range);
    scale.has_negative = scale.has_negative || codes[i] < 0;
  }
  return scale;
}

}  // namespace rxnn
