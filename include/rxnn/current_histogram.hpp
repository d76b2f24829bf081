// What currents a layer's converters saw, and the ranges that suit them.
#pragma once

#include <cstdint>
#include <vector>

#include "rxnn/hardware.hpp"
#include "rxnn/periphery.hpp"

namespace rxnn {

// Counts of currents in bins of a power of two, wide enough that at most kMostBins lie between the smallest and the
// largest. The same currents give the same histogram in any order and any division.
class CurrentHistogram {
 public:
  static constexpr std::int64_t kMostBins = 4096;

  // Counts currents[i] + share.
  void Add(const double* currents, std::int64_t count, double share);
  void Add(const CurrentHistogram& other);

  std::int64_t count() const { return count_; }
  double min() const { return min_; }
  double max() const { return max_; }

  // The range of adc_range CALIBRATED, by hardware.adc_calibration; 0 to 0 where nothing was seen.
  CurrentRange Range(const Hardware& hardware) const;

  // The current that `percent` percent of those seen do not exceed, to within a bin.
  double Percentile(double percent) const;
  // The range whose converter of `bits` bits is nearest to the currents seen: the least sum of squared errors over
  // ranges that leave out a part at either end (steps of one percent of the range).
  CurrentRange MinimumSquaredError(int bits) const;

 private:
  double Center(std::int64_t bin) const;
  double SquaredError(int bits, double low, double high) const;
  void Cover(double low, double high);
  void Coarsen();

  std::int64_t count_ = 0;
  double min_ = 0;
  double max_ = 0;
  double width_ = 0;        // of a bin, a power of two
  std::int64_t first_ = 0;  // bins begin at first_ * width_
  std::vector<std::int64_t> bins_;
};

}  // namespace rxnn
