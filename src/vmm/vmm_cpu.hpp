// The kernels of vmm_cpu.cpp behind their run-time dispatch; arguments are not checked.
#pragma once

#include "vmm/vmm.hpp"

namespace rxnn {

void ReadPanelCpu(const PanelReads<float>& reads);
void ReadPanelCpu(const PanelReads<double>& reads);
void ConvertCurrentsCpu(const Readout& readout, const double* currents, int cols, double share, double weight,
                        double* sums, ConversionCounts* counts, int used_cols);
void CutDigitsCpu(const DigitCut<float>& cut);
void CutDigitsCpu(const DigitCut<double>& cut);

}  // namespace rxnn
