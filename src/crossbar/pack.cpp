// From levels to what the kernels multiply with.
#include <cmath>
#include <cstdint>

#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"

namespace rxnn {
namespace {

// Packs the operands of one panel of one row tile, cell by cell.
template <typename T>
class PanelPacker {
 public:
  PanelPacker(const CrossbarState& state, Operands<T>* operands)
      : state_(state),
        operands_(*operands),
        offset_(state.hardware.signed_weights == SignedWeights::kOffset
                    ? std::ldexp(1.0, state.hardware.weight_bits - 1)
                    : 0) {}

  void Pack(int group, int row_tile, const Panel& panel) {
    const int rows = state_.grid.used_rows(row_tile);
    const int arrays = state_.levels.matrices();
    const float* levels = state_.levels.panel(group, row_tile, rows, panel);
    const std::int64_t matrix_size = static_cast<std::int64_t>(rows) * panel.stride;
    for (std::int64_t i = 0; i < rows; ++i) {
      for (std::int64_t j = 0; j < panel.cols; ++j) {
        const std::int64_t cell = i * panel.stride + j;
        for (int m = 0; m < operands_.matrices.matrices(); ++m) {
          operands_.matrices.matrix(group, row_tile, rows, panel, m)[cell] = Operand(levels + cell, matrix_size, m);
        }
        if (operands_.squares.empty()) continue;
        for (int m = 0; m < arrays; ++m) {
          const double level = levels[m * matrix_size + cell] + state_.off_level;
          operands_.squares.matrix(group, row_tile, rows, panel, m)[cell] = static_cast<T>(level * level);
        }
      }
    }
  }

 private:
  // `levels[array * stride]` are the levels of one cell in the arrays of its tile.
  T Operand(const float* levels, std::int64_t stride, int matrix) const {
    const ReadScheme& scheme = state_.scheme;
    if (scheme.folded) {
      double weight = -offset_;
      for (int slice = 0; slice < scheme.slices; ++slice) {
        weight += std::ldexp(SignedLevel(levels, stride, slice), slice * state_.hardware.cell_bits);
      }
      return static_cast<T>(weight);
    }
    if (scheme.analog) return static_cast<T>(SignedLevel(levels, stride, matrix));
    return static_cast<T>(levels[matrix * stride]);
  }

  double SignedLevel(const float* levels, std::int64_t stride, int slice) const {
    const int polarities = state_.scheme.polarities;
    const double positive = levels[slice * polarities * stride];
    return polarities == 1 ? positive : positive - levels[(slice * polarities + 1) * stride];
  }

  const CrossbarState& state_;
  Operands<T>& operands_;
  const double offset_;  // what OFFSET adds to every weight code
};

template <typename T>
Operands<T> MakeOperands(const CrossbarState& state) {
  const ReadScheme& scheme = state.scheme;
  Operands<T> operands;
  if (scheme.folded || scheme.analog || scheme.wide) {
    operands.matrices = PanelStore<T>(state.grid, state.panels, state.groups, scheme.matrices());
  }
  if (state.hardware.read_noise_sigma > 0) {
    operands.squares = PanelStore<T>(state.grid, state.panels, state.groups, scheme.slices * scheme.polarities);
  }
  if (operands.matrices.empty() && operands.squares.empty()) return operands;

  ParallelWork(static_cast<std::int64_t>(state.groups) * state.grid.row_tiles, [&] {
    return [&state, packer = PanelPacker<T>(state, &operands)](std::int64_t i) mutable {
      const int group = static_cast<int>(i / state.grid.row_tiles);
      const int row_tile = static_cast<int>(i % state.grid.row_tiles);
      for (const Panel& panel : state.panels) packer.Pack(group, row_tile, panel);
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
}

}  // namespace rxnn
