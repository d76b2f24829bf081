// Which converters can be read as whole numbers.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "crossbar/panel_levels.hpp"
#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"

namespace rxnn {
namespace {

// Bounds of one panel.
LevelBounds BoundsOf(const CrossbarState& state, const PanelLevels& levels, int rows, int stride, int cols) {
  const double digit = (1 << state.hardware.dac_bits) - 1;
  LevelBounds bounds{true, std::numeric_limits<double>::infinity(), -std::numeric_limits<double>::infinity(), {}};
  std::vector<double> low(cols), high(cols);
  for (int m = 0; m < state.scheme.matrices(); ++m) {
    std::fill(low.begin(), low.end(), 0.0);
    std::fill(high.begin(), high.end(), 0.0);
    for (int i = 0; i < rows; ++i) {
      for (int j = 0; j < cols; ++j) {
        const std::int64_t cell = static_cast<std::int64_t>(i) * stride + j;
        const double level = state.scheme.analog ? levels.SignedLevel(m, cell) : levels.Level(m, cell);
        bounds.whole = bounds.whole && level == std::nearbyint(level);
        bounds.lowest = std::min(bounds.lowest, level);
        bounds.highest = std::max(bounds.highest, level);
        const double current = digit * (level + state.share_per_digit());
        low[j] += std::min(current, 0.0);
        high[j] += std::max(current, 0.0);
      }
    }
    bounds.currents.min = std::min(bounds.currents.min, *std::min_element(low.begin(), low.end()));
    bounds.currents.max = std::max(bounds.currents.max, *std::max_element(high.begin(), high.end()));
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

}  // namespace

void CrossbarState::FindBounds() {
  if (hardware.adc_bits == 0) return;
  const std::int64_t num_panels = static_cast<std::int64_t>(panels.size());
  std::vector<LevelBounds> found(groups * grid.row_tiles * num_panels);
  ParallelWork(static_cast<std::int64_t>(found.size()), [&] {
    return [&](std::int64_t i) {
      const Panel& panel = panels[i % num_panels];
      const int row_tile = static_cast<int>(i / num_panels % grid.row_tiles);
      const int group = static_cast<int>(i / num_panels / grid.row_tiles);
      const PanelLevels levels(*this, group, row_tile, panel);
      found[i] = BoundsOf(*this, levels, grid.used_rows(row_tile), panel.stride, panel.cols);
    };
  });
  bounds = found.front();
  for (const LevelBounds& other : found) Widen(other, &bounds);
}

void CrossbarState::PlanReads() {
  code_readout.reset();
  const bool has_range = hardware.adc_range != AdcRange::kCalibrated || calibrated;
  if (hardware.adc_bits == 0 || hardware.read_noise_sigma > 0 || scheme.wide || !has_range) return;
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
}

}  // namespace rxnn
