// Which converters can be read as whole numbers.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "crossbar/code_block_reader.hpp"
#include "crossbar/panel_levels.hpp"
#include "crossbar/state.hpp"

namespace rxnn {
namespace {

// Bounds of one panel.
LevelBounds BoundsOf(const CrossbarState& state, const PanelLevels& levels, std::vector<float>* matrix) {
  const double digit = (1 << state.hardware.dac_bits) - 1;
  const double share = state.share_per_digit();
  LevelBounds bounds{true, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), {}};
  std::vector<double> low(levels.cols()), high(levels.cols());
  matrix->resize(static_cast<std::size_t>(levels.rows()) * levels.stride());
  for (int m = 0; m < state.scheme.matrices(); ++m) {
    levels.CopyMatrix(m, matrix->data());
    std::fill(low.begin(), low.end(), 0.0);
    std::fill(high.begin(), high.end(), 0.0);
    bool whole = true;
    for (int i = 0; i < levels.rows(); ++i) {
      const float* row = matrix->data() + static_cast<std::size_t>(i) * levels.stride();
      for (int j = 0; j < levels.cols(); ++j) {
        whole &= row[j] == std::nearbyint(row[j]);
        low[j] += std::min(row[j] + share, 0.0);
        high[j] += std::max(row[j] + share, 0.0);
      }
      const auto [lowest, highest] = std::minmax_element(row, row + levels.cols());
      bounds.lowest = std::min<double>(bounds.lowest, *lowest);
      bounds.highest = std::max<double>(bounds.highest, *highest);
    }
    bounds.whole = bounds.whole && whole;
    bounds.currents.min = std::min(bounds.currents.min, digit * *std::min_element(low.begin(), low.end()));
    bounds.currents.max = std::max(bounds.currents.max, digit * *std::max_element(high.begin(), high.end()));
  }
  return bounds;
}

void Widen(const LevelBounds& other, LevelBounds* bounds) {
  bounds->whole = bounds->whole && other.whole;
  bounds->lowest = std::min(bounds->lowest, other.lowest);
  bounds->highest = std::max(bounds->highest, other.highest);
  bounds->currents.min = std::min(bounds->currents.min, other.currents.min);
  bounds->currents.max = std::max(bounds->currents.max, other.currents.max);
}

// Differences of twins as bytes.
PanelBytes CutTwins(const CrossbarState& state) {
  const int matrices = state.scheme.matrices();
  PanelBytes twins(*state.level_bytes, state.grid, state.panels, state.packs.count * matrices);
  ForEachPanel(state, [&] {
    return [&, copy = AlignedRoom<float>()](int pack, int row_tile, const Panel& panel, const PanelLevels& levels,
                                            std::int64_t) mutable {
      float* matrix = copy.Reserve(static_cast<std::size_t>(levels.rows()) * panel.stride);
      for (int m = 0; m < matrices; ++m) {
        levels.CopyMatrix(m, matrix);
        CutLevels(twins.cut, matrix, panel.stride, levels.rows(), panel.stride, 0,
                  twins.panel(pack * matrices + m, row_tile, state.grid.used_rows(row_tile), panel));
      }
    };
  });
  return twins;
}

// The same as floats.
PanelStore<float> CopyTwins(const CrossbarState& state) {
  PanelStore<float> twins(state.grid, state.panels, state.packs.count, state.scheme.matrices());
  ForEachPanel(state, [&] {
    return [&](int pack, int row_tile, const Panel& panel, const PanelLevels& levels, std::int64_t) {
      for (int m = 0; m < state.scheme.matrices(); ++m) {
        levels.CopyMatrix(m, twins.matrix(pack, row_tile, state.grid.used_rows(row_tile), panel, m));
      }
    };
  });
  return twins;
}

}  // namespace

void CrossbarState::FindBounds() {
  if (hardware.adc_bits == 0) return;
  std::vector<LevelBounds> found(packs.count * grid.row_tiles * panels.size());
  ForEachPanel(*this, [&] {
    return [&, matrix = std::vector<float>()](int, int, const Panel&, const PanelLevels& levels,
                                              std::int64_t i) mutable { found[i] = BoundsOf(*this, levels, &matrix); };
  });
  bounds = found.front();  // the first pack has all its groups
  for (const LevelBounds& other : found) Widen(other, &bounds);
}

void CrossbarState::PlanReads() {
  code_readout.reset();
  level_bytes.reset();
  twin_bytes = PanelBytes();
  twins = PanelStore<float>();
  const bool has_range = hardware.adc_range != AdcRange::kCalibrated || calibrated;
  if (hardware.adc_bits == 0 || scheme.flawed || scheme.wide || !has_range) return;
  const Readout readout = MakeReadout();
  const int digits = std::min(grid.rows, grid.inputs) * ((1 << hardware.dac_bits) - 1);
  const std::optional<CodeReadout> codes = CodeReadout::Make(readout, bounds.currents, share_per_digit() * digits);
  if (!codes) return;
  // Whole levels stand for ideal cells, which users compare to the digit: codes must be the reference's, ties included.
  if (bounds.whole && !codes->ProvenFor(readout, share_per_digit(), digits, static_cast<int>(bounds.lowest),
                                        static_cast<int>(bounds.highest))) {
    return;
  }
  code_readout = codes;
  code_shares.clear();
  for (int sum = 0; sum <= (share_per_digit() == 0 ? 0 : digits); ++sum) {
    code_shares.push_back(codes->SharesOf(share_per_digit() * sum));
  }
  // Many bits of weights and inputs: the sums of one row tile are beyond 32 bits.
  if (!SumsFit(*this, 2, 1)) {
    code_readout.reset();
    return;
  }
  if (hardware.input_bits <= 8) {
    const double share = bounds.whole ? 0 : share_per_digit();
    const double largest = std::max(std::fabs(bounds.lowest + share), std::fabs(bounds.highest + share));
    level_bytes = LevelBytes::Make(largest, bounds.whole, hardware.dac_bits, std::min(grid.rows, grid.inputs));
  }
  if (!scheme.analog) return;
  if (ReadsBytes(*this)) {
    twin_bytes = CutTwins(*this);
  } else {
    twins = CopyTwins(*this);
  }
}

}  // namespace rxnn
