// From weights to levels: quantise, cut into digits, program, extract.
#include <algorithm>
#include <cmath>
#include <cstdint>
#include <mutex>
#include <utility>
#include <vector>

#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"
#include "rxnn/circuit.hpp"
#include "rxnn/device.hpp"

namespace rxnn {
namespace {

// One physical array of a layer.
struct ArrayPlace {
  std::uint32_t id = 0;
  int group = 0;
  int row_tile = 0;
  int col_tile = 0;
  int slice = 0;
  int polarity = 0;
};

ArrayPlace PlaceOf(const CrossbarState& state, std::int64_t array) {
  ArrayPlace place;
  place.id = static_cast<std::uint32_t>(array);
  place.polarity = static_cast<int>(array % state.scheme.polarities);
  array /= state.scheme.polarities;
  place.slice = static_cast<int>(array % state.scheme.slices);
  array /= state.scheme.slices;
  place.col_tile = static_cast<int>(array % state.grid.col_tiles);
  array /= state.grid.col_tiles;
  place.row_tile = static_cast<int>(array % state.grid.row_tiles);
  place.group = static_cast<int>(array / state.grid.row_tiles);
  return place;
}

// |G_eq - G| / G of the cells in use of one array.
struct RelativeChange {
  double sum = 0;
  double worst = 0;
};

// Programs arrays one by one into state.levels. One per thread: it keeps buffers.
class ArrayProgrammer {
 public:
  ArrayProgrammer(CrossbarState* state, const std::int32_t* codes)
      : state_(*state), codes_(codes), digits_(static_cast<std::size_t>(state_.grid.rows) * state_.grid.cols) {}

  RelativeChange Program(const ArrayPlace& place) {
    CutDigits(place);
    const Hardware& hardware = state_.hardware;
    // Ideal levels are digits; a detour through siemens would only round them.
    if (hardware.ideal_cells() && hardware.wires.ideal()) {
      Store(place, [this](std::size_t cell) { return static_cast<double>(digits_[cell]); });
      return {};
    }
    std::vector<double> g = ProgramCells(hardware, state_.random, place.id, digits_);
    if (!hardware.wires.ideal()) {
      EquivalentConductance(g.data(), hardware.rows, hardware.cols, hardware.wires, g.data());
    }
    RelativeChange change;
    Store(place, [&](std::size_t cell) {
      const double nominal = NominalConductance(hardware, digits_[cell]);
      const double relative = std::fabs(g[cell] - nominal) / nominal;
      change.sum += relative;
      change.worst = std::max(change.worst, relative);
      return (g[cell] - hardware.g_off()) / hardware.g_step();
    });
    return change;
  }

 private:
  // Digits of the whole array; cells that the tile does not use are at digit 0.
  void CutDigits(const ArrayPlace& place) {
    const TileGrid& grid = state_.grid;
    std::fill(digits_.begin(), digits_.end(), std::uint16_t{0});
    for (int j = 0; j < grid.used_cols(place.col_tile); ++j) {
      const std::int64_t output =
          static_cast<std::int64_t>(place.group) * grid.outputs + grid.first_col(place.col_tile) + j;
      const std::int32_t* column = codes_ + output * grid.inputs + grid.first_row(place.row_tile);
      for (int i = 0; i < grid.used_rows(place.row_tile); ++i) {
        digits_[static_cast<std::size_t>(i) * grid.cols + j] =
            static_cast<std::uint16_t>(WeightDigit(state_.hardware, column[i], place.slice, place.polarity));
      }
    }
  }

  // levels = level(cell) for the cells in use.
  template <typename Level>
  void Store(const ArrayPlace& place, const Level& level) {
    const TileGrid& grid = state_.grid;
    const int rows = grid.used_rows(place.row_tile);
    for (const Panel& panel : state_.panels) {
      if (panel.col_tile != place.col_tile) continue;
      const int matrix = place.slice * state_.scheme.polarities + place.polarity;
      float* levels = state_.levels.matrix(place.group, place.row_tile, rows, panel, matrix);
      const int first = panel.first_col - grid.first_col(place.col_tile);
      for (int i = 0; i < rows; ++i) {
        for (int j = 0; j < panel.cols; ++j) {
          levels[static_cast<std::size_t>(i) * panel.stride + j] =
              static_cast<float>(level(static_cast<std::size_t>(i) * grid.cols + first + j));
        }
      }
    }
  }

  CrossbarState& state_;
  const std::int32_t* codes_;
  std::vector<std::uint16_t> digits_;
};

}  // namespace

ProgramReport CrossbarMatrix::Program(const float* weights, const Progress& progress) {
  CrossbarState& state = *state_;
  const TileGrid& grid = state.grid;
  WeightCodes codes = QuantizeWeights(state.hardware, weights, state.groups * grid.outputs, grid.inputs);
  state.scales.clear();  // a failure below leaves the matrix without weights, not with half of them
  state.levels = PanelStore<float>(grid, state.panels, state.groups, state.scheme.slices * state.scheme.polarities);

  const std::int64_t arrays = state.num_arrays();
  std::vector<RelativeChange> changes(arrays);
  std::int64_t done = 0;
  std::mutex progress_mutex;
  ParallelWork(arrays, [&] {
    return [&, programmer = ArrayProgrammer(&state, codes.codes.data())](std::int64_t array) mutable {
      changes[array] = programmer.Program(PlaceOf(state, array));
      if (progress) {
        const std::lock_guard<std::mutex> lock(progress_mutex);
        progress(++done, arrays);
      }
    };
  });
  state.scales = std::move(codes.scales);
  state.Pack();

  ProgramReport report;
  report.tiles = state.num_tiles();
  report.arrays = arrays;
  const double cells_used = static_cast<double>(num_levels());
  report.utilisation = cells_used / (static_cast<double>(arrays) * grid.rows * grid.cols);
  for (const RelativeChange& change : changes) {
    report.mean_relative_change += change.sum / cells_used;
    report.worst_relative_change = std::max(report.worst_relative_change, change.worst);
  }
  return report;
}

}  // namespace rxnn
