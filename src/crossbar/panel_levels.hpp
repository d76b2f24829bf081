// Levels as they are stored, seen from one panel.
#pragma once

#include <cstdint>

#include "crossbar/state.hpp"

namespace rxnn {

// The levels of one panel of one row tile.
class PanelLevels {
 public:
  PanelLevels(const CrossbarState& state, int group, int row_tile, const Panel& panel)
      : levels_(state.levels.panel(group, row_tile, state.grid.used_rows(row_tile), panel)),
        cells_(static_cast<std::int64_t>(state.grid.used_rows(row_tile)) * panel.stride),
        polarities_(state.scheme.polarities) {}

  std::int64_t cells() const { return cells_; }
  double Level(int array, std::int64_t cell) const { return levels_[array * cells_ + cell]; }
  // level+ - level-, or the level where one array holds both signs.
  double SignedLevel(int slice, std::int64_t cell) const {
    const double positive = Level(slice * polarities_, cell);
    return polarities_ == 1 ? positive : positive - Level(slice * polarities_ + 1, cell);
  }

 private:
  const float* levels_;  // [array][cell]
  const std::int64_t cells_;
  const int polarities_;
};

}  // namespace rxnn
