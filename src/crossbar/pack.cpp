// From levels to what the kernels multiply with, where that is kept.
#include <cstdint>

#include "crossbar/panel_levels.hpp"
#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"

namespace rxnn {
namespace {

PanelStore<float> Fold(const CrossbarState& state) {
  const TileGrid& grid = state.folded_grid;
  PanelStore<float> folded(grid, state.folded_panels, state.packs.count, 1);
  const std::int64_t num_panels = static_cast<std::int64_t>(state.panels.size());
  ParallelWork(state.packs.count * state.grid.row_tiles * num_panels, [&] {
    return [&](std::int64_t i) {
      const int row_tile = static_cast<int>(i / num_panels % state.grid.row_tiles);
      const int group = static_cast<int>(i / num_panels / state.grid.row_tiles);
      const Panel panel = state.PanelOf(group, static_cast<int>(i % num_panels));
      const int first_row = state.grid.first_row(row_tile);
      PanelLevels(state, group, row_tile, panel).ForEachFolded([&](int row, int col, double weight) {
        const int input = first_row + row;
        const int output = panel.first_col + col;
        const int chunk = input / grid.rows;
        const Panel& to = state.folded_panels[output / kPanelCols];
        float* matrix = folded.matrix(group, chunk, grid.used_rows(chunk), to, 0);
        matrix[(input - grid.first_row(chunk)) * to.stride + output - to.first_col] = static_cast<float>(weight);
      });
    };
  });
  return folded;
}

}  // namespace

void CrossbarState::Pack() {
  if (scheme.folded && !scheme.wide) folded = Fold(*this);
  FindBounds();
  PlanReads();
}

}  // namespace rxnn
