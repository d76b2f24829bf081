#include "rxnn/crossbar_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "crossbar/parallel.hpp"
#include "crossbar/state.hpp"
#include "vmm/kernel_choice.hpp"

namespace rxnn {
namespace {

// Calls visit(row, length, position) once for every run of neighbouring levels, in any order, on all cores: `row`
// points into the store, `position` is the run's place in the array [group][polarity][slice][K][N].
template <typename Store, typename Visit>
void ForEachRun(const CrossbarState& state, Store& store, const Visit& visit) {
  const TileGrid& grid = state.grid;
  const int slices = state.scheme.slices;
  const int polarities = state.scheme.polarities;
  const std::int64_t planes = static_cast<std::int64_t>(state.groups) * polarities * slices;
  const auto visit_tiles = [&](std::int64_t i) {
    const std::int64_t plane = i / grid.row_tiles;
    const int row_tile = static_cast<int>(i % grid.row_tiles);
    const int slice = static_cast<int>(plane % slices);
    const int polarity = static_cast<int>(plane / slices % polarities);
    const int group = static_cast<int>(plane / slices / polarities);
    const int used_rows = grid.used_rows(row_tile);
    for (const Panel& panel : state.panels) {
      auto* row = store.matrix(group, row_tile, used_rows, panel, slice * polarities + polarity);
      for (int k = grid.first_row(row_tile); k < grid.first_row(row_tile) + used_rows; ++k, row += panel.stride) {
        visit(row, panel.cols, (plane * grid.inputs + k) * grid.outputs + panel.first_col);
      }
    }
  };
  ParallelWork(planes * grid.row_tiles, [&] { return visit_tiles; });
}

}  // namespace

CrossbarMatrix::CrossbarMatrix(const Hardware& hardware, std::string name, int groups, int inputs, int outputs)
    : state_(std::make_unique<CrossbarState>(hardware, std::move(name), groups, inputs, outputs)) {
  ApplyChosenTarget();
}

CrossbarMatrix::~CrossbarMatrix() = default;

void CrossbarMatrix::Load(const float* levels, const float* scales) {
  CrossbarState& state = *state_;
  for (std::int64_t i = 0; i < num_levels(); ++i) {
    if (!std::isfinite(levels[i])) {
      std::ostringstream message;
      message << "crossbar matrix " << state.name << ": level " << i << " is " << levels[i]
              << ", expected a finite number";
      throw std::invalid_argument(message.str());
    }
  }
  state.digit_hashes.clear();
  state.calibrated.reset();
  state.levels =
      PanelStore<float>(state.grid, state.panels, state.groups, state.scheme.slices * state.scheme.polarities);
  ForEachRun(state, state.levels,
             [levels](float* row, int length, std::int64_t position) { std::copy_n(levels + position, length, row); });
  state.scales.assign(scales, scales + static_cast<std::int64_t>(state.groups) * state.grid.outputs);
  state.Pack();
}

std::int64_t CrossbarMatrix::num_levels() const {
  return static_cast<std::int64_t>(state_->groups) * state_->scheme.polarities * state_->scheme.slices *
         state_->grid.inputs * state_->grid.outputs;
}

void CrossbarMatrix::CopyLevels(float* levels) const {
  if (state_->scales.empty()) {
    throw std::logic_error("crossbar matrix " + state_->name + ": nothing is programmed; Program or Load comes first");
  }
  ForEachRun(*state_, std::as_const(state_->levels), [levels](const float* row, int length, std::int64_t position) {
    std::copy_n(row, length, levels + position);
  });
}

const std::vector<float>& CrossbarMatrix::scales() const { return state_->scales; }
const Hardware& CrossbarMatrix::hardware() const { return state_->hardware; }
int CrossbarMatrix::groups() const { return state_->groups; }
int CrossbarMatrix::inputs() const { return state_->grid.inputs; }
int CrossbarMatrix::outputs() const { return state_->grid.outputs; }

bool CrossbarMatrix::needs_calibration() const {
  const Hardware& hardware = state_->hardware;
  return hardware.adc_bits > 0 && hardware.adc_range == AdcRange::kCalibrated && !state_->calibrated;
}

void CrossbarMatrix::SetAdcRange(const CurrentRange& range) {
  if (state_->hardware.adc_bits == 0 || state_->hardware.adc_range != AdcRange::kCalibrated) return;
  if (!std::isfinite(range.min) || !std::isfinite(range.max) || range.max < range.min) {
    std::ostringstream message;
    message << "crossbar matrix " << state_->name << ": ADC range " << range.min << " to " << range.max
            << ", expected finite numbers that do not fall";
    throw std::invalid_argument(message.str());
  }
  CurrentRange usable = range;
  // One and the same current everywhere: a range of one level still converts it.
  if (usable.max == usable.min) usable.max = usable.min + 1;
  state_->calibrated = usable;
  state_->PlanReads();
}

double CrossbarMatrix::OutputScale(int output, float input_range) const {
  if (output < 0 || output >= static_cast<int>(state_->scales.size())) {
    std::ostringstream message;
    message << "crossbar matrix " << state_->name << ": output " << output << ", expected 0 to "
            << static_cast<int>(state_->scales.size()) - 1;
    throw std::out_of_range(message.str());
  }
  const Hardware& hardware = state_->hardware;
  return static_cast<double>(state_->scales[output]) * input_range /
         (static_cast<double>(hardware.max_weight_code()) * hardware.max_input_code());
}

}  // namespace rxnn
