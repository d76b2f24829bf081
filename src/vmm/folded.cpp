#include "vmm/folded.hpp"

#include "vmm/check_panel.hpp"
#include "vmm/folded_cpu.hpp"

namespace rxnn {

void ReadFolded(const FoldedReads& reads) {
  CheckPanel(reads.rows, reads.cols, reads.vectors, reads.levels);
  ReadFoldedCpu(reads);
}

void JoinCodes(const CodeBytes& bytes, std::int64_t row_stride, float* codes) {
  JoinCodesCpu(bytes, row_stride, codes);
}

}  // namespace rxnn
