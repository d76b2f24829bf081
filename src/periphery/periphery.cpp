#include "rxnn/periphery.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>

#include "periphery/curves.hpp"

namespace rxnn {

double CurrentUnit(const Hardware& hardware) { return hardware.g_step() * DacStep(hardware); }

double DacStep(const Hardware& hardware) { return hardware.v_read_volt / ((1 << hardware.dac_bits) - 1); }

double DacVoltage(const Hardware& hardware, int digit) {
  const DacFlaws& flaws = hardware.dac_flaws;
  const double largest = (1 << hardware.dac_bits) - 1;
  double volt = hardware.v_read_volt * digit / largest;
  if (flaws.none()) return volt;
  const double x = digit / largest;
  if (!flaws.volt.empty()) volt = flaws.volt[digit];
  if (!flaws.polynomial.empty()) volt = hardware.v_read_volt * EvaluatePolynomial(flaws.polynomial, x);
  return (1 + flaws.gain_error) * volt + flaws.inl_lsb * Bow(x) * DacStep(hardware) + flaws.offset_volt;
}

Adc::Adc(int bits, double min, double max) : bits(bits) {
  if (bits < 1 || bits > 24 || !(max > min) || !std::isfinite(max - min)) {
    std::ostringstream message;
    message << "an ADC of " << bits << " bits from " << min << " to " << max
            << " cannot exist: expected 1 to 24 bits and a finite, rising range";
    throw HardwareError(message.str());
  }
  const double steps = std::ldexp(1.0, bits) - 1;
  lsb = (max - min) / steps;
  code_min = std::nearbyint(min / lsb);
  code_max = code_min + steps;
}

double Adc::Convert(double current) const {
  if (bits == 0) return current;
  return std::clamp(std::nearbyint(current * (1 / lsb)), code_min, code_max) * lsb;
}

CurrentRange FullScale(const Hardware& hardware) {
  const double volts = hardware.rows * hardware.v_read_volt / CurrentUnit(hardware);
  if (hardware.num_polarities() == 2 && hardware.subtraction == Subtraction::kAnalog) {
    const double span = volts * (hardware.g_on() - hardware.g_off());
    return {-span, span};
  }
  return {0, volts * hardware.g_on()};
}

}  // namespace rxnn
