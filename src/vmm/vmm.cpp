#include "vmm/vmm.hpp"

#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <string>

#include "vmm/vmm_cpu.hpp"

namespace rxnn {
namespace {

template <typename T>
void Check(const PanelReads<T>& reads) {
  if (reads.rows < 0 || reads.vectors < 0 || reads.reads < 0 || reads.matrices < 0 || reads.cols < 0 ||
      reads.cols > kPanelCols || reads.cols % kPanelPad != 0) {
    std::ostringstream message;
    message << "panel of " << reads.rows << " x " << reads.cols << " cells, " << reads.vectors << " vectors, "
            << reads.reads << " reads, " << reads.matrices << " matrices: expected no negative size and columns in "
            << "multiples of " << kPanelPad << " up to " << kPanelCols;
    throw std::invalid_argument(message.str());
  }
  if (reinterpret_cast<std::uintptr_t>(reads.levels) % kPanelAlignment != 0) {
    std::ostringstream message;
    message << "levels of a panel at address " << static_cast<const void*>(reads.levels) << ": expected a multiple of "
            << kPanelAlignment;
    throw std::invalid_argument(message.str());
  }
}

}  // namespace

template <>
void ReadPanel(const PanelReads<float>& reads) {
  Check(reads);
  ReadPanelCpu(reads);
}

template <>
void ReadPanel(const PanelReads<double>& reads) {
  Check(reads);
  ReadPanelCpu(reads);
}

void ConvertCurrents(const Readout& readout, const double* currents, int cols, double share, double weight,
                     double* sums, ConversionCounts* counts, int used_cols) {
  if (cols < 0 || cols % kPanelPad != 0) {
    throw std::invalid_argument("currents of " + std::to_string(cols) + " columns: expected a multiple of " +
                                std::to_string(kPanelPad));
  }
  ConvertCurrentsCpu(readout, currents, cols, share, weight, sums, counts, used_cols);
}

template <>
void CutDigits(const DigitCut<float>& cut) {
  CutDigitsCpu(cut);
}

template <>
void CutDigits(const DigitCut<double>& cut) {
  CutDigitsCpu(cut);
}

}  // namespace rxnn
