// The levels of one panel of one row tile, as the kernels take them.
#pragma once

#include <algorithm>
#include <cmath>

#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"

namespace rxnn {

class PanelLevels {
 public:
  PanelLevels(const CrossbarState& state, int group, int row_tile, const Panel& panel)
      : state_(state),
        group_(group),
        first_row_(state.grid.first_row(row_tile)),
        rows_(state.used_rows(group, row_tile)),
        panel_(panel) {}

  int rows() const { return rows_; }
  int cols() const { return panel_.cols; }
  int stride() const { return panel_.stride; }

  // Levels of the panel's columns in one row of the array of a slice and polarity.
  const float* row(int slice, int polarity, int row) const {
    return state_.levels.row(group_, polarity, slice, first_row_ + row) + panel_.first_col;
  }

  // What the kernels multiply with, to matrix [rows][panel.stride]: the levels of one array, or the differences of
  // twins that are subtracted as currents. What is beyond panel.cols is 0.
  template <typename T>
  void CopyMatrix(int matrix, T* to) const {
    for (int i = 0; i < rows_; ++i) CopyRow(matrix, i, to + static_cast<std::size_t>(i) * panel_.stride);
  }

  // One row of it, to [panel.stride].
  template <typename T>
  void CopyRow(int matrix, int i, T* to) const {
    const int slice = state_.scheme.slice(matrix);
    const float* levels = row(slice, state_.scheme.polarity(matrix), i);
    if (state_.scheme.analog) {
      const float* twins = row(slice, 1, i);
      for (int j = 0; j < panel_.cols; ++j) to[j] = static_cast<T>(levels[j]) - static_cast<T>(twins[j]);
    } else {
      std::transform(levels, levels + panel_.cols, to, [](float level) { return static_cast<T>(level); });
    }
    std::fill(to + panel_.cols, to + panel_.stride, T{0});
  }

  // (level + g_off / g_step)^2 of one array.
  template <typename T>
  void CopySquares(int slice, int polarity, T* to) const {
    for (int i = 0; i < rows_; ++i) {
      const float* levels = row(slice, polarity, i);
      for (int j = 0; j < panel_.stride; ++j) {
        const double level = j < panel_.cols ? levels[j] + state_.off_level : 0;
        to[i * panel_.stride + j] = static_cast<T>(level * level);
      }
    }
  }

  // sum_slices 2^(cell_bits slice) (level+ - level-), less what OFFSET adds to every weight: visit(row, col, weight).
  template <typename Visit>
  void ForEachFolded(const Visit& visit) const {
    const Hardware& hardware = state_.hardware;
    const bool offset = hardware.signed_weights == SignedWeights::kOffset;
    const double start = offset ? -std::ldexp(1.0, hardware.weight_bits - 1) : 0;
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < panel_.cols; ++j) {
        double weight = start;
        for (int slice = 0; slice < state_.scheme.slices; ++slice) {
          double level = row(slice, 0, i)[j];
          if (state_.scheme.polarities == 2) level -= row(slice, 1, i)[j];
          weight += std::ldexp(level, slice * hardware.cell_bits);
        }
        visit(i, j, weight);
      }
    }
  }

 private:
  const CrossbarState& state_;
  const int group_;
  const int first_row_;
  const int rows_;
  const Panel& panel_;
};

// visit(pack, row_tile, panel, levels, i) for every panel that has columns, on all cores, i its number among all
// panels. Every thread makes a visitor of its own with make_visit().
template <typename MakeVisit>
void ForEachPanel(const CrossbarState& state, const MakeVisit& make_visit) {
  const std::int64_t num_panels = static_cast<std::int64_t>(state.panels.size());
  ParallelWork(state.packs.count * state.grid.row_tiles * num_panels, [&] {
    return [&, visit = make_visit()](std::int64_t i) mutable {
      const int row_tile = static_cast<int>(i / num_panels % state.grid.row_tiles);
      const int pack = static_cast<int>(i / num_panels / state.grid.row_tiles);
      const Panel panel = state.PanelOf(pack, static_cast<int>(i % num_panels));
      if (panel.cols > 0) visit(pack, row_tile, panel, PanelLevels(state, pack, row_tile, panel), i);
    };
  });
}

}  // namespace rxnn
