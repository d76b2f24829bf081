// The kernels of code_reads_cpu.cpp behind their run-time dispatch; arguments are not checked.
#pragma once

#include "vmm/code_reads.hpp"

namespace rxnn {

void CutDigitsCpu(const CodeCut& cut, std::int64_t row_stride, float* digits, std::int32_t* digit_sums);
void CutBitsCpu(const CodeCut& cut, std::uint64_t* words, std::int32_t* digit_sums);
void TableOffsetsCpu(const std::uint64_t* words, const std::int32_t* order, int vectors, int streams, int chunks,
                     std::uint16_t* offsets);
void ReadCodesCpu(const CodeReads& reads, const CodeDigits& digits);
void ScaleSumsCpu(const std::int32_t* sums, int cols, double unit, double constant, double* scaled);
void ReadTablesCpu(const CodeReads& reads, const TableDigits& digits, float* scratch);

}  // namespace rxnn
