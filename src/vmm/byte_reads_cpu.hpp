// The kernels for products of bytes; arguments are not checked. Only where there are products of bytes.
#pragma once

#include "vmm/byte_reads.hpp"

namespace rxnn {

void CutLevelsCpu(const LevelBytes& cut, const float* levels, std::int64_t stride, int rows, int cols, float share,
                  std::int8_t* bytes);
void SumByteDigitsCpu(const CodeCut& cut, std::int32_t* digit_sums);
void CutByteDigitsCpu(const CodeCut& cut, int copies, const std::int32_t* order, const ByteUnit* units, int num_units,
                      std::uint8_t* digits);
void ReadBytesCpu(const CodeReads& reads, const LevelBytes& cut, const std::int8_t* bytes, const ByteDigits& digits);
void ReadFoldedBytesCpu(const FoldedByteReads& reads);

// The same by the matrix unit. False, and nothing done, where sums go beyond what its converters hold.
bool ReadTilesCpu(const CodeReads& reads, const LevelBytes& cut, const std::int8_t* bytes, const ByteDigits& digits);
void ReadFoldedTilesCpu(const FoldedByteReads& reads);

}  // namespace rxnn
