#include "rxnn/device.hpp"

#include <algorithm>
#include <cmath>

namespace rxnn {
namespace {

double Varied(const Hardware& hardware, double g, double normal) {
  switch (hardware.conductance_distribution) {
    case Distribution::kNormal:
      return std::max(0.0, g * (1 + hardware.conductance_sigma * normal));
    case Distribution::kLogNormal:
      return g * std::exp(hardware.conductance_sigma * normal);
  }
  return g;
}

}  // namespace

double NominalConductance(const Hardware& hardware, int digit) { return hardware.g_off() + digit * hardware.g_step(); }

std::vector<double> ProgramCells(const Hardware& hardware, const ChipRandom& random, std::uint32_t array,
                                 const std::vector<std::uint16_t>& digits) {
  const bool may_stick = hardware.stuck_on_rate > 0 || hardware.stuck_off_rate > 0;
  std::vector<double> g(digits.size());
  for (size_t cell = 0; cell < digits.size(); ++cell) {
    g[cell] = NominalConductance(hardware, digits[cell]);
    if (hardware.conductance_sigma > 0) {
      g[cell] = Varied(hardware, g[cell], random.Normal(Draw::kVariation, array, cell));
    }
    if (may_stick) {
      const double u = random.Uniform(Draw::kStuck, array, cell);
      if (u < hardware.stuck_on_rate) {
        g[cell] = hardware.g_on();
      } else if (u < hardware.stuck_on_rate + hardware.stuck_off_rate) {
        g[cell] = hardware.g_off();
      }
    }
  }
  return g;
}

}  // namespace rxnn
