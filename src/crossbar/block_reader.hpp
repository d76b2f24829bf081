// Reads blocks of input vectors one current at a time, in double where that matters: for every kind of hardware.
#pragma once

#include <cstdint>
#include <vector>

#include "crossbar/blocks.hpp"
#include "crossbar/state.hpp"
#include "periphery/adc_bank.hpp"
#include "rxnn/current_histogram.hpp"

namespace rxnn {

// One per thread: it keeps buffers.
template <typename T>
class BlockReader {
 public:
  BlockReader(const CrossbarState& state, const Batch& batch, const Readout& readout);

  static BlockLimits Limits(const CrossbarState& state);
  static const std::vector<Panel>& Panels(const CrossbarState& state) { return state.panels; }

  void Multiply(const Block& block, const SumSink& take);

  // The currents at the converters.
  CurrentHistogram Observe(const Block& block);

 private:
  // Takes up work on a block.
  void Start(const Block& block);
  // Signed codes of the vectors of a block on the rows of a tile, to codes_ [vector][row].
  void LoadCodes(const Block& block, int row_tile);
  // Cuts the digits that the vectors of a block put on the rows of a tile.
  void LoadDigits(const Block& block, int row_tile);
  // Puts the outputs of the DACs in place of the digits.
  void ApplyDacs(const Block& block, int row_tile);
  // What the kernels multiply with, for one panel; good until the next call.
  const T* PanelMatrices(const Block& block, int row_tile, const Panel& panel);
  // The reads of one panel, to be summed to `sums` [vectors][panel.stride].
  PanelReads<T> Reads(const Block& block, int row_tile, const Panel& panel, double* sums);
  // Currents of one read of one matrix, without the share of g_off, to currents_.
  void ReadCurrents(const PanelReads<T>& reads, int matrix, int read);
  // ReadPanel with read noise and real converters.
  void ReadFlawedPanel(const Block& block, int row_tile, const Panel& panel, const PanelReads<T>& reads);
  void AddNoise(const Block& block, int row_tile, const Panel& panel, int matrix, int polarity, int read, double sign);
  // Passes currents_ of one read of one array through its ADCs.
  void ConvertFlawed(const Block& block, const Panel& panel, std::uint32_t array, int read, double weight,
                     double* sums);
  // What digits add to a current beyond the digital side's account of g_off, in `excess_`, added to currents_.
  void AddExcess(const Block& block, const Panel& panel, int read);

  const CrossbarState& state_;
  const Batch& batch_;
  const Readout readout_;
  const AdcBank adcs_;
  int reads_ = 0;                    // streams, of one sign or two
  std::vector<double> weights_;      // [matrix][read], a power of two with its sign
  std::vector<std::int32_t> codes_;  // [vector][row]
  std::vector<std::uint8_t> bytes_;  // of codes
  std::vector<double> offset_sums_;  // [vector], what OFFSET adds to every column
  std::vector<T> digits_;            // [read][vector][row]
  std::vector<T> digit_squares_;     // of the same, for read noise
  std::vector<double> shares_;       // [read][vector], current of g_off
  std::vector<double> excess_;       // [read][vector], how much more g_off carries under real DACs; empty where ideal
  std::vector<double> dac_noise_;    // [row]
  AdcBank::Columns columns_;
  ConversionCounts counts_;       // of the block
  std::vector<double> sums_;      // [panel][vector][panel.stride]
  std::vector<double> currents_;  // [vector][panel.stride]
  std::vector<double> variances_;
  std::vector<double> emitted_;
  AlignedRoom<T> matrices_;
  AlignedRoom<T> squares_;
};

}  // namespace rxnn
