// The kernels of folded_cpu.cpp behind their run-time dispatch; arguments are not checked.
#pragma once

#include "vmm/folded.hpp"

namespace rxnn {

void ReadFoldedCpu(const FoldedReads& reads);
void JoinCodesCpu(const CodeBytes& bytes, std::int64_t row_stride, float* codes);

}  // namespace rxnn
