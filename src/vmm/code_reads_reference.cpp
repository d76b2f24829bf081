#include <cmath>
#include <cstdint>

#include "vmm/code_reads.hpp"

namespace rxnn {

void ReadCodesReference(const CodeReads& reads, const CodeDigits& digits, const Readout& readout, double off_level,
                        std::int64_t* sums) {
  for (std::int64_t v = 0; v < reads.vectors; ++v) {
    for (std::int64_t stream = 0; stream < reads.streams; ++stream) {
      const float* row = digits.digits + (v * reads.streams + stream) * digits.row_stride;
      double digit_sum = 0;
      for (std::int64_t i = 0; i < reads.rows; ++i) digit_sum += row[i];
      const double share = off_level * digit_sum;
      for (std::int64_t j = 0; j < reads.cols; ++j) {
        double current = 0;
        for (std::int64_t i = 0; i < reads.rows; ++i) {
          current += static_cast<double>(row[i]) * reads.levels[i * reads.level_stride + j];
        }
        const double levels = readout.Apply(current, share);
        const double n = std::nearbyint(readout.whole_levels ? levels : (levels + share) / readout.adc.lsb);
        sums[v * reads.cols + j] += static_cast<std::int64_t>(
            std::ldexp(reads.negative ? -n : n, static_cast<int>(reads.shift + reads.dac_bits * stream)));
      }
    }
  }
}

}  // namespace rxnn
