// From levels to what the kernels multiply with, where that is kept.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <vector>

#include "crossbar/panel_levels.hpp"
#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"
#include "vmm/byte_products.hpp"

namespace rxnn {
namespace {

PanelStore<float> Fold(const CrossbarState& state) {
  const TileGrid& grid = state.folded_grid;
  PanelStore<float> folded(grid, state.folded_panels, state.packs.count, 1);
  ForEachPanel(state, [&] {
    return [&](int group, int row_tile, const Panel& panel, const PanelLevels& levels, std::int64_t) {
      const int first_row = state.grid.first_row(row_tile);
      levels.ForEachFolded([&](int row, int col, double weight) {
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

// Bytes of folded levels; empty where there are no products of bytes or these cannot take them.
PanelBytes CutFolded(const CrossbarState& state, const PanelStore<float>& folded) {
  PanelBytes packed;
  if (BestByteProducts() == ByteProducts::kNone || state.hardware.input_bits > 8) return packed;
  const TileGrid& grid = state.folded_grid;
  const std::int64_t num_panels = static_cast<std::int64_t>(state.folded_panels.size());
  const std::int64_t count = state.packs.count * grid.row_tiles * num_panels;
  const auto for_each = [&](const auto& visit) {
    ParallelWork(count, [&] {
      return [&](std::int64_t i) {
        const Panel& panel = state.folded_panels[i % num_panels];
        const int chunk = static_cast<int>(i / num_panels % grid.row_tiles);
        const int group = static_cast<int>(i / num_panels / grid.row_tiles);
        const int rows = grid.used_rows(chunk);
        visit(i, group, chunk, rows, panel, folded.panel(group, chunk, rows, panel));
      };
    });
  };
  std::vector<float> largest(count);
  std::vector<char> whole(count);
  for_each([&](std::int64_t i, int, int, int rows, const Panel& panel, const float* levels) {
    whole[i] = 1;
    for (int k = 0; k < rows * panel.stride; ++k) {
      largest[i] = std::max(largest[i], std::fabs(levels[k]));
      if (levels[k] != std::nearbyint(levels[k])) whole[i] = 0;
    }
  });
  const bool all_whole = std::all_of(whole.begin(), whole.end(), [](char is) { return is != 0; });
  const std::optional<LevelBytes> cut = LevelBytes::Make(*std::max_element(largest.begin(), largest.end()), all_whole,
                                                         8, std::min(grid.rows, grid.inputs));
  if (!cut) return packed;
  packed = PanelBytes(*cut, grid, state.folded_panels, state.packs.count);
  for_each([&](std::int64_t, int group, int chunk, int rows, const Panel& panel, const float* levels) {
    CutLevels(*cut, levels, panel.stride, rows, panel.stride, 0, packed.panel(group, chunk, rows, panel));
  });
  return packed;
}

}  // namespace

PanelBytes::PanelBytes(const LevelBytes& cut, const TileGrid& grid, const std::vector<Panel>& panels, int matrices)
    : cut(cut) {
  const int stored_cols = static_cast<int>(panels.back().stored_before) + panels.back().stride;
  chunk_bytes = cut.panel_bytes(grid.used_rows(0), stored_cols);
  matrix_bytes = chunk_bytes * (grid.row_tiles - 1) + cut.panel_bytes(grid.used_rows(grid.row_tiles - 1), stored_cols);
  bytes.Reserve(matrix_bytes * matrices);
}

void CrossbarState::Pack() {
  if (scheme.folded && !scheme.wide) {
    folded = Fold(*this);
    folded_bytes = CutFolded(*this, folded);
    if (!folded_bytes.empty()) folded = PanelStore<float>();
  }
  FindBounds();
  PlanReads();
}

}  // namespace rxnn
