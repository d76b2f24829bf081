// The ADCs of a layer, each with flaws of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "rxnn/hardware.hpp"
#include "rxnn/periphery.hpp"
#include "rxnn/random.hpp"

namespace rxnn {

// One ADC for every column of every array (of every pair of twins, where these are subtracted as currents), all of the
// range of one ideal converter.
class AdcBank {
 public:
  // `random` outlives the bank.
  AdcBank(const Hardware& hardware, const Adc& ideal, const ChipRandom& random);

  bool noisy() const { return flaws_.noise_sigma_lsb > 0; }

  // One column's converter.
  struct Column {
    std::uint32_t array = 0;
    int col = 0;  // of the array
    double gain = 1;
    double offset_lsb = 0;
  };
  Column MakeColumn(std::uint32_t array, int col) const;

  // What the converter makes of a current, in the currents' unit; `normal` is a standard normal number, for its noise.
  // Counts what is beyond the range, in the counts' `low` and `high`.
  double Convert(const Column& column, double current, double normal, ConversionCounts* counts) const;

  // Neighbouring columns of one array, for many conversions of all of them.
  struct Columns {
    std::vector<Column> each;
    std::vector<double> gain, offset_lsb;
  };
  Columns MakeColumns(std::uint32_t array, int first_col, int count) const;

  // The same for one read of these columns, with what the digital side makes of it:
  //   levels = Convert(currents[j] + share) - share, rounded to whole ones where `whole_levels`;
  //   sums[j] += weight * levels.
  // `normals`: one for every column; null without noise.
  void ConvertRead(const Columns& columns, const double* currents, double share, const double* normals, double weight,
                   bool whole_levels, double* sums, ConversionCounts* counts) const;

 private:
  double Transfer(double x) const;
  double Code(const Column& column, double x) const;
  double Transition(const Column& column, std::int64_t lower_code) const;

  const AdcFlaws flaws_;
  const Adc ideal_;
  const double steps_;   // codes less one
  const bool straight_;  // between gain and code nothing bends
  const ChipRandom& random_;
};

}  // namespace rxnn
