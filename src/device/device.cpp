#include "rxnn/device.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>

namespace rxnn {
namespace {

double Varied(const Hardware& hardware, double g, double deviation) {
  switch (hardware.conductance_distribution) {
    case Distribution::kNormal:
      return std::max(0.0, g * (1 + deviation));
    case Distribution::kLogNormal:
      return g * std::exp(deviation);
  }
  return g;
}

// (t / t0)^-nu of one cell.
double Drift(const Hardware& hardware, double normal) {
  const double nu = std::max(0.0, hardware.drift_nu + hardware.drift_nu_sigma * normal);
  return std::pow(hardware.drift_time_second / hardware.drift_t0_second, -nu);
}

}  // namespace

double NominalConductance(const Hardware& hardware, int digit) {
  if (!hardware.level_siemens.empty()) return hardware.level_siemens[digit];
  return hardware.g_off() + digit * hardware.g_step();
}

std::vector<double> ProgramCells(const Hardware& hardware, const ChipRandom& random, std::uint32_t array,
                                 const std::vector<std::uint16_t>& digits) {
  const bool varies = hardware.varies();
  const bool drifts = hardware.drifts();
  const bool may_stick = hardware.stuck_on_rate > 0 || hardware.stuck_off_rate > 0;
  std::vector<double> g(digits.size());
  for (std::size_t cell = 0; cell < digits.size(); ++cell) {
    g[cell] = NominalConductance(hardware, digits[cell]);
    if (varies) {
      const double deviation = hardware.sigma(digits[cell]) * random.Normal(Draw::kVariation, array, cell);
      g[cell] = Varied(hardware, g[cell], deviation);
    }
    if (drifts) g[cell] *= Drift(hardware, random.Normal(Draw::kDrift, array, cell));
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

FaultMap::FaultMap(const Hardware& hardware, std::string_view layer) : rows_(hardware.rows), cols_(hardware.cols) {
  for (const Fault& fault : hardware.faults) {
    if (!fault.layer.empty() && fault.layer != layer) continue;
    if (fault.array < 0) {
      everywhere_.push_back(faults_.size());
    } else {
      of_array_[fault.array].push_back(faults_.size());
      if (!fault.layer.empty()) largest_array_ = std::max(largest_array_, fault.array);
    }
    faults_.push_back(fault);
  }
}

void FaultMap::Apply(std::uint32_t array, double* g) const {
  std::vector<std::size_t> here = everywhere_;
  if (const auto found = of_array_.find(array); found != of_array_.end()) {
    here.clear();
    std::merge(everywhere_.begin(), everywhere_.end(), found->second.begin(), found->second.end(),
               std::back_inserter(here));
  }
  for (const std::size_t place : here) {
    const Fault& fault = faults_[place];
    const int first_row = std::max(fault.row, 0), last_row = fault.row < 0 ? rows_ - 1 : fault.row;
    const int first_col = std::max(fault.col, 0), last_col = fault.col < 0 ? cols_ - 1 : fault.col;
    for (int i = first_row; i <= last_row; ++i) {
      for (int j = first_col; j <= last_col; ++j) g[static_cast<std::ptrdiff_t>(i) * cols_ + j] = fault.siemens;
    }
  }
}

IvCurve CellCurve(const Hardware& hardware) {
  IvCurve curve;
  curve.kind = hardware.cell_curve;
  curve.v0_volt = hardware.curve_v0_volt;
  curve.volt = hardware.curve_volt;
  curve.value = hardware.curve_ampere;
  curve.scale = curve.kind == IvCurve::Kind::kLinear ? 1 : hardware.v_read_volt / curve.Current(hardware.v_read_volt);
  return curve;
}

std::vector<double> AccessResistances(const Hardware& hardware, int used_rows) {
  std::vector<double> ohm;
  if (hardware.cell_type == CellType::kOneR) return ohm;
  for (int i = 0; i < hardware.rows; ++i) {
    ohm.push_back(i < used_rows ? hardware.r_access_on_ohm : hardware.r_access_off_ohm);
  }
  return ohm;
}

void AddAccessTransistors(const Hardware& hardware, int used_rows, double* g) {
  // g / (1 + g R) is right for an open cell too.
  for (const double ohm : AccessResistances(hardware, used_rows)) {
    for (int j = 0; j < hardware.cols; ++j, ++g) *g /= 1 + *g * ohm;
  }
}

}  // namespace rxnn
