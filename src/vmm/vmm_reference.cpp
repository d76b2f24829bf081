#include <cmath>
#include <cstdint>

#include "vmm/vmm.hpp"

namespace rxnn {

double Readout::Apply(double current, double share) const {
  if (adc.bits == 0) return current;
  const double levels = adc.Convert(current + share) - share;
  return whole_levels ? std::nearbyint(levels) : levels;
}

template <typename T>
void ReadPanelReference(const PanelReads<T>& reads) {
  for (std::int64_t m = 0; m < reads.matrices; ++m) {
    for (std::int64_t r = 0; r < reads.reads; ++r) {
      for (std::int64_t v = 0; v < reads.vectors; ++v) {
        const T* digits = reads.digits + (r * reads.vectors + v) * reads.rows;
        const double share = reads.shares != nullptr ? reads.shares[r * reads.vectors + v] : 0;
        for (std::int64_t j = 0; j < reads.cols; ++j) {
          double current = 0;
          for (std::int64_t i = 0; i < reads.rows; ++i) {
            current += static_cast<double>(digits[i]) * reads.levels[(m * reads.rows + i) * reads.cols + j];
          }
          reads.sums[v * reads.cols + j] += reads.weights[m * reads.reads + r] * reads.readout.Apply(current, share);
        }
      }
    }
  }
}

template void ReadPanelReference(const PanelReads<float>& reads);
template void ReadPanelReference(const PanelReads<double>& reads);

}  // namespace rxnn
