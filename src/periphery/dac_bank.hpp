// The DACs of a layer, each with flaws of its own.
#pragma once

#include <cstdint>
#include <vector>

#include "rxnn/hardware.hpp"
#include "rxnn/random.hpp"

namespace rxnn {

// One DAC for every row of a layer's matrices, which drives that row in the arrays of all slices, signs and columns.
// Outputs are counted in DacStep: an ideal DAC puts out its digit.
class DacBank {
 public:
  // `rows` of each matrix (K); `random` outlives the bank.
  DacBank(const Hardware& hardware, const ChipRandom& random, int rows);

  bool ideal() const { return ideal_; }
  bool noisy() const { return noise_steps_ > 0; }

  // Of the DAC of a row of a group's matrix, without noise. Digit 0 of a step is exact.
  double Output(int group, int row, int digit) const;
  // What noise adds in read `read` (below `reads`) of input vector `vector`, to the `count` rows from `first_row` on.
  void Noise(int group, std::uint64_t vector, int reads, int read, int first_row, int count, double* noise) const;

 private:
  const ChipRandom& random_;
  const int rows_;
  const bool ideal_;
  const double noise_steps_;
  const double level_sigma_;      // of every level of every DAC, steps
  std::vector<double> transfer_;  // what all DACs have in common, for every digit
};

}  // namespace rxnn
