#include "vmm/byte_reads.hpp"

#include <algorithm>
#include <cmath>
#include <stdexcept>

#include "vmm/byte_reads_cpu.hpp"
#include "vmm/check_panel.hpp"

namespace rxnn {
namespace {

void CheckRows(int rows) {
  if (rows >= 1 && rows <= kMostByteRows) return;
  throw std::invalid_argument("panel of " + std::to_string(rows) + " rows for products of bytes, expected 1 to " +
                              std::to_string(kMostByteRows));
}

}  // namespace

std::optional<LevelBytes> LevelBytes::Make(double largest, bool whole, int dac_bits, int rows) {
  constexpr double kMostOne = 127;
  constexpr double kMostBits = 127 * 32768.0 + 16319;
  constexpr double kMostThree = 127 * 65536.0 + 32639;
  if (rows > kMostByteRows || dac_bits > 8 || !std::isfinite(largest)) return std::nullopt;
  LevelBytes bytes;
  if (whole && largest <= kMostOne) return bytes;
  bytes.cut = dac_bits == 1 ? Cut::kBits : Cut::kThree;
  const double most = bytes.cut == Cut::kBits ? kMostBits : kMostThree;
  if (whole) return largest <= most ? std::optional<LevelBytes>(bytes) : std::nullopt;
  int exponent = 0;
  std::frexp(std::max(largest, 1e-20) / (most - 1), &exponent);  // below 2^exponent; 1 for rounding
  bytes.unit = static_cast<float>(std::ldexp(1.0, exponent));
  return bytes;
}

std::size_t LevelBytes::panel_bytes(int rows, int cols) const {
  return static_cast<std::size_t>((rows + kByteRows - 1) / kByteRows) * kByteRows * cols * parts();
}

std::size_t LevelBytes::unit_bytes(int rows) const {
  return static_cast<std::size_t>((rows + kByteRows - 1) / kByteRows) * kByteRows * kByteUnit * copies();
}

void MakeUnits(const std::int32_t* first, int streams, std::vector<ByteUnit>* units) {
  units->clear();
  for (int n = 1; n <= streams; ++n) {
    for (std::int32_t place = first[n]; place < first[n + 1];) {
      const std::int32_t vectors = std::min(kByteUnit / n, first[n + 1] - place);
      units->push_back({place, vectors, n});
      place += vectors;
    }
  }
}

void CutLevels(const LevelBytes& cut, const float* levels, std::int64_t stride, int rows, int cols, float share,
               std::int8_t* bytes) {
  CheckPanel(rows, cols, 0, bytes);
  CheckRows(rows);
  CutLevelsCpu(cut, levels, stride, rows, cols, share, bytes);
}

void SumByteDigits(const CodeCut& cut, std::int32_t* digit_sums) { SumByteDigitsCpu(cut, digit_sums); }

void CutByteDigits(const CodeCut& cut, int copies, const std::int32_t* order, const ByteUnit* units, int num_units,
                   std::uint8_t* digits) {
  CutByteDigitsCpu(cut, copies, order, units, num_units, digits);
}

void ReadBytes(const CodeReads& reads, const LevelBytes& cut, const std::int8_t* bytes, const ByteDigits& digits) {
  CheckPanel(reads.rows, reads.cols, reads.vectors, bytes);
  CheckRows(reads.rows);
  ReadBytesCpu(reads, cut, bytes, digits);
}

void ReadFoldedBytes(const FoldedByteReads& reads) {
  CheckPanel(reads.rows, reads.cols, reads.vectors, reads.bytes);
  CheckRows(reads.rows);
  ReadFoldedBytesCpu(reads);
}

}  // namespace rxnn
