#include <algorithm>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"

namespace rxnn {
namespace {

// Neighbouring rows that all have negative inputs, or all have none: a pass that a row does not need would still put a
// converter's lowest code into its sums.
struct Run {
  int first = 0;
  int count = 0;
  bool has_negative = false;
};

std::vector<Run> MakeRuns(const std::vector<InputScale>& scales) {
  std::vector<Run> runs;
  for (int i = 0; i < static_cast<int>(scales.size()); ++i) {
    if (runs.empty() || runs.back().has_negative != scales[i].has_negative) {
      runs.push_back({i, 0, scales[i].has_negative});
    }
    ++runs.back().count;
  }
  return runs;
}

void Calibrate(CrossbarMatrix& matrix, const std::vector<std::int32_t>& codes, const std::vector<Run>& runs) {
  CurrentRange range;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::int32_t* run_codes = codes.data() + static_cast<std::int64_t>(runs[i].first) * matrix.inputs();
    const CurrentRange seen = matrix.ObserveCurrents(0, run_codes, runs[i].count, runs[i].has_negative);
    range.min = i == 0 ? seen.min : std::min(range.min, seen.min);
    range.max = i == 0 ? seen.max : std::max(range.max, seen.max);
  }
  matrix.SetAdcRange(range);
}

}  // namespace

void CrossbarMatmul(CrossbarMatrix& matrix, const float* x, int count, std::uint64_t first_read, float* y) {
  if (matrix.groups() != 1) {
    std::ostringstream message;
    message << "crossbar product with a matrix of " << matrix.groups() << " groups, expected 1";
    throw std::invalid_argument(message.str());
  }
  const std::int64_t inputs = matrix.inputs();
  const std::int64_t outputs = matrix.outputs();
  std::vector<std::int32_t> codes(count * inputs);
  std::vector<InputScale> scales(count);
  for (std::int64_t i = 0; i < count; ++i) {
    scales[i] = QuantizeInputs(matrix.hardware(), x + i * inputs, inputs, codes.data() + i * inputs);
  }
  const std::vector<Run> runs = MakeRuns(scales);
  if (matrix.needs_calibration() && count > 0) Calibrate(matrix, codes, runs);

  std::vector<double> sums(count * outputs);
  for (const Run& run : runs) {
    matrix.Multiply(0, codes.data() + run.first * inputs, run.count, run.has_negative, first_read + run.first,
                    sums.data() + run.first * outputs);
  }
  for (std::int64_t i = 0; i < count; ++i) {
    for (std::int64_t n = 0; n < outputs; ++n) {
      const double scale = matrix.OutputScale(static_cast<int>(n), scales[i].range);
      y[i * outputs + n] = static_cast<float>(sums[i * outputs + n] * scale);
    }
  }
}

}  // namespace rxnn
