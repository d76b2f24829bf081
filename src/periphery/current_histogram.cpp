#include "rxnn/current_histogram.hpp"

#include <algorithm>
#include <cmath>

namespace rxnn {
namespace {

constexpr double kFinestWidth = 0x1p-10;  // of a level at one DAC step

std::int64_t BinOf(double current, double width) { return static_cast<std::int64_t>(std::floor(current / width)); }

}  // namespace

void CurrentHistogram::Add(const double* currents, std::int64_t count, double share) {
  if (count == 0) return;
  const auto [low, high] = std::minmax_element(currents, currents + count);
  Cover(*low + share, *high + share);
  count_ += count;
  for (std::int64_t i = 0; i < count; ++i) ++bins_[BinOf(currents[i] + share, width_) - first_];
}

void CurrentHistogram::Add(const CurrentHistogram& other) {
  if (other.count_ == 0) return;
  Cover(other.min_, other.max_);
  while (width_ < other.width_) Coarsen();
  count_ += other.count_;
  const auto ratio = static_cast<std::int64_t>(width_ / other.width_);
  for (std::size_t i = 0; i < other.bins_.size(); ++i) {
    const std::int64_t bin = other.first_ + static_cast<std::int64_t>(i);
    // Rounded down, below 0 too.
    const std::int64_t wide = bin >= 0 ? bin / ratio : -((-bin + ratio - 1) / ratio);
    bins_[wide - first_] += other.bins_[i];
  }
}

// Makes room for currents from low to high.
void CurrentHistogram::Cover(double low, double high) {
  if (count_ == 0) {
    width_ = kFinestWidth;
    min_ = low;
    max_ = high;
    first_ = BinOf(low, width_);
    bins_.assign(1, 0);
  }
  min_ = std::min(min_, low);
  max_ = std::max(max_, high);
  while (max_ / width_ - min_ / width_ > kMostBins + 1 || BinOf(max_, width_) - BinOf(min_, width_) >= kMostBins) {
    Coarsen();
  }
  const std::int64_t first = BinOf(min_, width_);
  const std::int64_t last = BinOf(max_, width_);
  bins_.insert(bins_.begin(), first_ - first, 0);
  first_ = first;
  bins_.resize(last - first + 1, 0);
}

void CurrentHistogram::Coarsen() {
  const std::int64_t first = first_ >> 1;
  std::vector<std::int64_t> bins(((first_ + static_cast<std::int64_t>(bins_.size()) - 1) >> 1) - first + 1, 0);
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    bins[((first_ + static_cast<std::int64_t>(i)) >> 1) - first] += bins_[i];
  }
  bins_ = std::move(bins);
  first_ = first;
  width_ *= 2;
}

double CurrentHistogram::Center(std::int64_t bin) const {
  return std::clamp((static_cast<double>(first_ + bin) + 0.5) * width_, min_, max_);
}

double CurrentHistogram::Percentile(double percent) const {
  const double rank = percent / 100 * static_cast<double>(count_);
  if (rank <= 0) return min_;
  double below = 0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    const auto here = static_cast<double>(bins_[i]);
    if (here > 0 && below + here >= rank) {
      const double place = static_cast<double>(first_ + static_cast<std::int64_t>(i)) + (rank - below) / here;
      return std::clamp(place * width_, min_, max_);
    }
    below += here;
  }
  return max_;
}

double CurrentHistogram::SquaredError(int bits, double low, double high) const {
  const Adc adc(bits, low, high);
  double sum = 0;
  for (std::size_t i = 0; i < bins_.size(); ++i) {
    if (bins_[i] == 0) continue;
    const double current = Center(static_cast<std::int64_t>(i));
    const double error = adc.Convert(current) - current;
    sum += static_cast<double>(bins_[i]) * error * error;
  }
  return sum;
}

CurrentRange CurrentHistogram::MinimumSquaredError(int bits) const {
  CurrentRange best{min_, max_};
  if (!(max_ > min_)) return best;
  double least = SquaredError(bits, min_, max_);
  constexpr int kSteps = 100;
  constexpr int kRounds = 3;  // of one end after the other; the second seldom changes anything
  const auto consider = [&](double low, double high) {
    if (!(high > low)) return;
    const double error = SquaredError(bits, low, high);
    if (error < least) {
      least = error;
      best = {low, high};
    }
  };
  for (int round = 0; round < kRounds; ++round) {
    const CurrentRange before = best;
    for (int step = 1; step < kSteps; ++step) consider(before.min, min_ + (max_ - min_) * step / kSteps);
    const double high = best.max;
    for (int step = 1; step < kSteps; ++step) consider(min_ + (max_ - min_) * step / kSteps, high);
    if (before.min == best.min && before.max == best.max) break;
  }
  return best;
}

CurrentRange CurrentHistogram::Range(const Hardware& hardware) const {
  if (count_ == 0) return {};
  switch (hardware.adc_calibration) {
    case AdcCalibration::kMinMax:
      break;
    case AdcCalibration::kPercentile:
      return {Percentile(100 - hardware.adc_percentile), Percentile(hardware.adc_percentile)};
    case AdcCalibration::kMinimumSquaredError:
      return MinimumSquaredError(hardware.adc_bits);
  }
  return {min_, max_};
}

}  // namespace rxnn
