#include "rxnn/crossbar_matrix.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "crossbar/state.hpp"
#include "vmm/kernel_choice.hpp"

namespace rxnn {
namespace {

// Throws std::invalid_argument for a level that is not finite.
void CheckLevels(const CrossbarState& state, const float* levels, std::int64_t count) {
  for (std::int64_t i = 0; i < count; ++i) {
    if (std::isfinite(levels[i])) continue;
    std::ostringstream message;
    message << "crossbar matrix " << state.name << ": level " << i << " is " << levels[i]
            << ", expected a finite number";
    throw std::invalid_argument(message.str());
  }
}

}  // namespace

CrossbarMatrix::CrossbarMatrix(const Hardware& hardware, std::string name, int groups, int inputs, int outputs)
    : state_(std::make_unique<CrossbarState>(hardware, std::move(name), groups, inputs, outputs)) {
  ApplyChosenTarget();
}

CrossbarMatrix::~CrossbarMatrix() = default;

void CrossbarMatrix::Load(const float* levels, const float* scales) {
  CrossbarState& state = *state_;
  CheckLevels(state, levels, num_levels());
  LevelStore store(state.level_shape());
  std::copy_n(levels, store.size(), store.own_row(0, 0, 0, 0));
  Take(std::move(store), scales);
}

void CrossbarMatrix::Borrow(const float* levels, const float* scales) {
  CheckLevels(*state_, levels, num_levels());
  Take(LevelStore(state_->level_shape(), levels), scales);
}

void CrossbarMatrix::Take(LevelStore levels, const float* scales) {
  CrossbarState& state = *state_;
  state.digit_hashes.clear();
  state.calibrated.reset();
  state.levels = std::move(levels);
  state.scales.assign(scales, scales + static_cast<std::int64_t>(state.packs.groups) * state.packs.outputs);
  state.Pack();
}

std::int64_t CrossbarMatrix::num_levels() const {
  return static_cast<std::int64_t>(state_->packs.count) * state_->scheme.polarities * state_->scheme.slices *
         state_->grid.inputs * state_->grid.outputs;
}

void CrossbarMatrix::CopyLevels(float* levels) const {
  if (state_->scales.empty()) {
    throw std::logic_error("crossbar matrix " + state_->name + ": nothing is programmed; Program or Load comes first");
  }
  std::copy_n(state_->levels.data(), state_->levels.size(), levels);
}

const std::vector<float>& CrossbarMatrix::scales() const { return state_->scales; }
const Hardware& CrossbarMatrix::hardware() const { return state_->hardware; }
int CrossbarMatrix::groups() const { return state_->packs.groups; }
int CrossbarMatrix::inputs() const { return state_->packs.inputs; }
int CrossbarMatrix::outputs() const { return state_->packs.outputs; }
const GroupPacks& CrossbarMatrix::packs() const { return state_->packs; }
std::int64_t CrossbarMatrix::num_tiles() const { return state_->num_tiles(); }
std::int64_t CrossbarMatrix::num_arrays() const { return state_->num_arrays(); }

void CrossbarMatrix::TakeTimes(bool on) { state_->times.Switch(on); }
ReadTimes CrossbarMatrix::times() const { return state_->times.Get(); }

bool CrossbarMatrix::needs_calibration() const {
  const Hardware& hardware = state_->hardware;
  return hardware.adc_bits > 0 && hardware.adc_range == AdcRange::kCalibrated && !state_->calibrated;
}

void CrossbarMatrix::Calibrate(const CurrentHistogram& seen) { SetAdcRange(seen.Range(state_->hardware)); }

ConversionCounts CrossbarMatrix::conversion_counts() const { return state_->counts.Get(); }
void CrossbarMatrix::ResetConversionCounts() { state_->counts.Reset(); }

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
