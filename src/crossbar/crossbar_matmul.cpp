#include <cstdint>
#include <sstream>
#include <stdexcept>

#include "rxnn/crossbar_matrix.hpp"

namespace rxnn {
void CrossbarMatmul(CrossbarMatrix& matrix, const float* x, int count, std::uint64_t first_read, float* y) {
  if (matrix.groups() != 1) {
    std::ostringstream message;
    message << "crossbar product with a matrix of " << matrix.groups() << " groups, expected 1";
    throw std::invalid_argument(message.str());
  }
  const CodedVectors vectors(matrix.hardware(), x, count, matrix.inputs());
  if (matrix.needs_calibration() && count > 0) matrix.Calibrate(matrix.ObserveCurrents(vectors));
  const std::int64_t outputs = matrix.outputs();
  matrix.Multiply(vectors, first_read, [&](const SumBlock& block) {
    for (int v = 0; v < block.vectors; ++v) {
      const int vector = block.first_vector + v;
      const float range = vectors.scale(vector).range;
      float* row = y + vector * outputs + block.first_output;
      for (int n = 0; n < block.outputs; ++n) {
        row[n] =
            static_cast<float>(block.sums[v * block.stride + n] * matrix.OutputScale(block.first_output + n, range));
      }
    }
  });
}

}  // namespace rxnn
