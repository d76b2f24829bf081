// From levels to what the kernels multiply with.
#include <cmath>
#include <cstdint>

#include "crossbar/panel_levels.hpp"
#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"

namespace rxnn {
namespace {

// sum_slices 2^(cell_bits slice) (level+ - level-), less what OFFSET adds to every weight.
template <typename T>
void Fold(const CrossbarState& state, const PanelLevels& levels, T* folded) {
  const Hardware& hardware = state.hardware;
  const bool offset = hardware.signed_weights == SignedWeights::kOffset;
  const double start = offset ? -std::ldexp(1.0, hardware.weight_bits - 1) : 0;
  for (std::int64_t cell = 0; cell < levels.cells(); ++cell) {
    double weight = start;
    double digit_weight = 1;
    for (int slice = 0; slice < state.scheme.slices; ++slice, digit_weight *= 1 << hardware.cell_bits) {
      weight += digit_weight * levels.SignedLevel(slice, cell);
    }
    folded[cell] = static_cast<T>(weight);
  }
}

template <typename T>
void PackMatrices(const CrossbarState& state, const PanelLevels& levels, T* matrices) {
  if (state.scheme.folded) {
    Fold(state, levels, matrices);
    return;
  }
  for (int m = 0; m < state.scheme.matrices(); ++m) {
    T* matrix = matrices + m * levels.cells();
    for (std::int64_t cell = 0; cell < levels.cells(); ++cell) {
      matrix[cell] = static_cast<T>(state.scheme.analog ? levels.SignedLevel(m, cell) : levels.Level(m, cell));
    }
  }
}

template <typename T>
void PackSquares(const CrossbarState& state, const PanelLevels& levels, T* squares) {
  for (int array = 0; array < state.levels.matrices(); ++array) {
    for (std::int64_t cell = 0; cell < levels.cells(); ++cell) {
      const double level = levels.Level(array, cell) + state.off_level;
      squares[array * levels.cells() + cell] = static_cast<T>(level * level);
    }
  }
}

template <typename T>
Operands<T> MakeOperands(const CrossbarState& state) {
  const ReadScheme& scheme = state.scheme;
  const auto make_store = [&](int matrices) { return PanelStore<T>(state.grid, state.panels, state.groups, matrices); };
  Operands<T> operands;
  if (scheme.folded || scheme.analog || scheme.wide) operands.matrices = make_store(scheme.matrices());
  if (state.hardware.read_noise_sigma > 0) operands.squares = make_store(state.levels.matrices());

  const std::int64_t num_panels = static_cast<std::int64_t>(state.panels.size());
  ParallelWork(state.groups * state.grid.row_tiles * num_panels, [&] {
    return [&](std::int64_t i) {
      const Panel& panel = state.panels[i % num_panels];
      const int row_tile = static_cast<int>(i / num_panels % state.grid.row_tiles);
      const int group = static_cast<int>(i / num_panels / state.grid.row_tiles);
      const int rows = state.grid.used_rows(row_tile);
      const PanelLevels levels(state, group, row_tile, panel);
      if (!operands.matrices.empty()) {
        PackMatrices(state, levels, operands.matrices.matrix(group, row_tile, rows, panel, 0));
      }
      if (!operands.squares.empty()) {
        PackSquares(state, levels, operands.squares.matrix(group, row_tile, rows, panel, 0));
      }
    };
  });
  return operands;
}

}  // namespace

void CrossbarState::Pack() {
  if (scheme.wide) {
    broad = MakeOperands<double>(*this);
  } else {
    narrow = MakeOperands<float>(*this);
  }
  FindBounds();
  PlanReads();
}

}  // namespace rxnn
