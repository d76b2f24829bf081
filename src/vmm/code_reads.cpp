#include "vmm/code_reads.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>

#include "vmm/check_panel.hpp"
#include "vmm/code_reads_cpu.hpp"

namespace rxnn {
void CutDigits(const CodeCut& cut, std::int64_t row_stride, float* digits, std::int32_t* digit_sums) {
  CutDigitsCpu(cut, row_stride, digits, digit_sums);
}

void CutBits(const CodeCut& cut, std::uint64_t* words, std::int32_t* digit_sums) { CutBitsCpu(cut, words, digit_sums); }

void OrderVectors(const std::int32_t* digit_sums, int vectors, int streams, bool skip_zeros, std::int32_t* order,
                  std::int32_t* first) {
  const auto to_read = [&](int vector) {
    int n = streams;
    while (skip_zeros && n > 0 && digit_sums[static_cast<std::int64_t>(vector) * streams + n - 1] == 0) --n;
    return n;
  };
  // Counting sort: how many places come before those of n streams.
  for (int n = 0; n <= streams + 1; ++n) first[n] = 0;
  for (int v = 0; v < vectors; ++v) ++first[to_read(v) + 1];
  for (int n = 1; n <= streams + 1; ++n) first[n] += first[n - 1];
  for (int v = 0; v < vectors; ++v) order[first[to_read(v)]++] = v;
  for (int n = streams + 1; n > 0; --n) first[n] = first[n - 1];
  first[0] = 0;
}

double GroupsPerRead(const std::uint64_t* words, const std::int32_t* order, const std::int32_t* first, int streams,
                     int chunks) {
  static_assert(kTableRows == 4, "a group is a nibble of a word");
  std::int64_t groups = 0, reads = 0;
  for (int n = 1; n <= streams; ++n) {
    for (std::int32_t place = first[n]; place < first[n + 1]; ++place) {
      const std::uint64_t* of_vector = words + static_cast<std::int64_t>(order[place]) * streams * chunks;
      reads += n * chunks;
      for (int i = 0; i < n * chunks; ++i) {
        std::uint64_t some = of_vector[i] | of_vector[i] >> 1;
        some = (some | some >> 2) & 0x1111111111111111u;
        groups += static_cast<std::int64_t>(some * 0x1111111111111111u >> 60) + (some == 0x1111111111111111u ? 16 : 0);
      }
    }
  }
  return reads == 0 ? 0 : static_cast<double>(groups) / static_cast<double>(reads);
}

void TableOffsets(const std::uint64_t* words, const std::int32_t* order, int vectors, int streams, int chunks,
                  std::uint16_t* offsets) {
  TableOffsetsCpu(words, order, vectors, streams, chunks, offsets);
}

void ReadCodes(const CodeReads& reads, const CodeDigits& digits) {
  CheckPanel(reads.rows, reads.cols, reads.vectors, reads.levels);
  if (reads.level_stride != reads.cols) {
    throw std::invalid_argument("levels of a panel of " + std::to_string(reads.cols) + " columns lie " +
                                std::to_string(reads.level_stride) + " apart from row to row, expected the same");
  }
  ReadCodesCpu(reads, digits);
}

void ScaleSums(const std::int32_t* sums, int cols, double unit, double constant, double* scaled) {
  ScaleSumsCpu(sums, cols, unit, constant, scaled);
}

void ReadTables(const CodeReads& reads, const TableDigits& digits, float* scratch) {
  CheckPanel(reads.rows, reads.cols, reads.vectors, scratch);
  ReadTablesCpu(reads, digits, scratch);
}

}  // namespace rxnn
