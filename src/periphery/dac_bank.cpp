#include "periphery/dac_bank.hpp"

#include <cmath>

#include "rxnn/periphery.hpp"

namespace rxnn {

DacBank::DacBank(const Hardware& hardware, const ChipRandom& random, int rows)
    : random_(random),
      rows_(rows),
      ideal_(hardware.dac_flaws.none()),
      noise_steps_(hardware.dac_flaws.noise_sigma_volt / DacStep(hardware)),
      // The height of a step is the difference of two levels.
      level_sigma_(hardware.dac_flaws.dnl_sigma_lsb / std::sqrt(2.0)) {
  if (ideal_) return;
  for (int digit = 0; digit < 1 << hardware.dac_bits; ++digit) {
    transfer_.push_back(DacVoltage(hardware, digit) / DacStep(hardware));
  }
}

double DacBank::Output(int group, int row, int digit) const {
  if (ideal_) return digit;
  double output = transfer_[digit];
  if (level_sigma_ > 0 && digit > 0) {
    const std::uint64_t index = static_cast<std::uint64_t>(row) * transfer_.size() + digit;
    output += level_sigma_ * random_.Normal(Draw::kDacStep, static_cast<std::uint32_t>(group), index);
  }
  return output;
}

void DacBank::Noise(int group, std::uint64_t vector, int reads, int read, int first_row, int count,
                    double* noise) const {
  const std::uint64_t index = (vector * reads + read) * rows_ + first_row;
  random_.Normals(Draw::kDacNoise, static_cast<std::uint32_t>(group), index, count, noise);
  for (int i = 0; i < count; ++i) noise[i] *= noise_steps_;
}

}  // namespace rxnn
