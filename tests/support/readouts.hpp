// Readouts of every kind that reads as whole codes tell apart.
#pragma once

#include "vmm/code_reads.hpp"

namespace rxnn {

// What a column draws for every unit of digits besides its levels, and the largest level.
constexpr double kOffLevel = 1.0 / 3;
constexpr double kMostLevel = 3.2;

enum class ReadoutKind { kCoarse, kFine, kLevels, kFineLevels, kSaturating, kSigned };

// `most`: the largest current.
inline Readout MakeReadout(ReadoutKind kind, double most) {
  Readout readout;
  switch (kind) {
    case ReadoutKind::kCoarse:
      readout.adc = Adc(5, 0, most);
      break;
    case ReadoutKind::kFine:
      readout.adc = Adc(11, 0, most);
      break;
    case ReadoutKind::kLevels:  // whole levels in one operation: lsb above a half
      readout.adc = Adc(9, 0, 0.8366 * 511);
      readout.whole_levels = true;
      break;
    case ReadoutKind::kFineLevels:  // in two
      readout.adc = Adc(12, 0, 0.2837 * 4095);
      readout.whole_levels = true;
      break;
    case ReadoutKind::kSaturating:
      readout.adc = Adc(4, 0.1 * most, 0.3 * most);
      break;
    case ReadoutKind::kSigned:
      readout.adc = Adc(6, -0.4 * most, 0.5 * most);
      break;
  }
  return readout;
}

}  // namespace rxnn
