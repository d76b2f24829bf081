#include <cstdint>

#include "vmm/folded.hpp"

namespace rxnn {

void ReadFoldedReference(const FoldedReads& reads) {
  for (std::int64_t v = 0; v < reads.vectors; ++v) {
    for (std::int64_t j = 0; j < reads.cols; ++j) {
      double sum = reads.add ? reads.sums[v * reads.cols + j] : 0;
      for (std::int64_t i = 0; i < reads.rows; ++i) {
        sum += static_cast<double>(reads.codes[v * reads.row_stride + i]) * reads.levels[i * reads.cols + j];
      }
      reads.sums[v * reads.cols + j] = sum;
    }
  }
}

}  // namespace rxnn
