#include "rxnn_layers/hardware_proto.hpp"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <limits>
#include <system_error>
#include <vector>

#include "caffe/util/io.hpp"

namespace rxnn {
namespace {

LineEnds EndsFromProto(caffe::CrossbarParameter::LineEnds ends) {
  switch (ends) {
    case caffe::CrossbarParameter::BOTH_ENDS:
      return LineEnds::kBoth;
    case caffe::CrossbarParameter::ALTERNATING_ENDS:
      return LineEnds::kAlternating;
    default:
      return LineEnds::kOne;
  }
}

// A number that is not set stands for all; one that no int holds is out of every range.
int IndexFromProto(bool set, std::uint32_t index) {
  constexpr std::uint32_t kMost = std::numeric_limits<int>::max();
  return set ? static_cast<int>(std::min(index, kMost)) : -1;
}

Fault FaultFromProto(const caffe::CrossbarParameter::Fault& param) {
  Fault fault;
  fault.layer = param.layer();
  fault.array = param.has_array() ? static_cast<std::int64_t>(param.array()) : -1;
  fault.row = IndexFromProto(param.has_row(), param.row());
  fault.col = IndexFromProto(param.has_col(), param.col());
  fault.siemens = param.conductance_siemens();
  return fault;
}

IvCurve::Kind CurveFromProto(caffe::CrossbarParameter::CellCurve curve) {
  switch (curve) {
    case caffe::CrossbarParameter::SINH:
      return IvCurve::Kind::kSinh;
    case caffe::CrossbarParameter::TABLE:
      return IvCurve::Kind::kTable;
    default:
      return IvCurve::Kind::kLinear;
  }
}

AdcCalibration CalibrationFromProto(caffe::CrossbarParameter::AdcCalibration calibration) {
  switch (calibration) {
    case caffe::CrossbarParameter::PERCENTILE:
      return AdcCalibration::kPercentile;
    case caffe::CrossbarParameter::MINIMUM_SQUARED_ERROR:
      return AdcCalibration::kMinimumSquaredError;
    default:
      return AdcCalibration::kMinMax;
  }
}

template <typename Repeated>
std::vector<double> ListFromProto(const Repeated& values) {
  return {values.begin(), values.end()};
}

DacFlaws DacFlawsFromProto(const caffe::CrossbarParameter& param) {
  DacFlaws flaws;
  flaws.volt = ListFromProto(param.dac_volt());
  flaws.polynomial = ListFromProto(param.dac_polynomial());
  flaws.inl_lsb = param.dac_inl_lsb();
  flaws.dnl_sigma_lsb = param.dac_dnl_sigma_lsb();
  flaws.gain_error = param.dac_gain_error();
  flaws.offset_volt = param.dac_offset_volt();
  flaws.noise_sigma_volt = param.dac_noise_sigma_volt();
  return flaws;
}

AdcFlaws AdcFlawsFromProto(const caffe::CrossbarParameter& param) {
  AdcFlaws flaws;
  flaws.gain_error = param.adc_gain_error();
  flaws.gain_sigma = param.adc_gain_sigma();
  flaws.offset_lsb = param.adc_offset_lsb();
  flaws.offset_sigma_lsb = param.adc_offset_sigma_lsb();
  flaws.noise_sigma_lsb = param.adc_noise_sigma_lsb();
  flaws.polynomial = ListFromProto(param.adc_polynomial());
  flaws.inl_lsb = param.adc_inl_lsb();
  flaws.transition_lsb = ListFromProto(param.adc_transition_lsb());
  flaws.dnl_sigma_lsb = param.adc_dnl_sigma_lsb();
  return flaws;
}

}  // namespace

Hardware HardwareFromProto(const caffe::CrossbarParameter& param) {
  using Proto = caffe::CrossbarParameter;
  Hardware hardware;
  hardware.rows = static_cast<int>(param.rows());
  hardware.cols = static_cast<int>(param.cols());
  hardware.weight_bits = static_cast<int>(param.weight_bits());
  hardware.cell_bits = static_cast<int>(param.cell_bits());
  hardware.signed_weights =
      param.signed_weights() == Proto::OFFSET ? SignedWeights::kOffset : SignedWeights::kDifferential;
  hardware.subtraction = param.subtraction() == Proto::ANALOG ? Subtraction::kAnalog : Subtraction::kDigital;
  hardware.weight_scale = param.weight_scale() == Proto::COLUMN ? WeightScale::kColumn : WeightScale::kLayer;
  hardware.group_packing =
      param.group_packing() == Proto::BLOCK_DIAGONAL ? GroupPacking::kBlockDiagonal : GroupPacking::kSeparate;
  hardware.input_bits = static_cast<int>(param.input_bits());
  hardware.dac_bits = static_cast<int>(param.dac_bits());
  hardware.input_range = param.input_range();
  hardware.v_read_volt = param.v_read_volt();
  hardware.r_on_ohm = param.r_on_ohm();
  hardware.r_off_ohm = param.r_off_ohm();
  hardware.wires = {param.r_source_ohm(), param.r_sink_ohm(), param.r_wordline_ohm(), param.r_bitline_ohm()};
  hardware.wires.wordline_segments_ohm = ListFromProto(param.r_wordline_segment_ohm());
  hardware.wires.bitline_segments_ohm = ListFromProto(param.r_bitline_segment_ohm());
  hardware.wires.wordline_driven = EndsFromProto(param.wordline_driven());
  hardware.wires.bitline_sensed = EndsFromProto(param.bitline_sensed());
  hardware.conductance_sigma = param.conductance_sigma();
  hardware.conductance_distribution =
      param.conductance_distribution() == Proto::LOG_NORMAL ? Distribution::kLogNormal : Distribution::kNormal;
  hardware.stuck_on_rate = param.stuck_on_rate();
  hardware.stuck_off_rate = param.stuck_off_rate();
  hardware.read_noise_sigma = param.read_noise_sigma();
  hardware.seed = param.seed();
  hardware.cell_type = param.cell_type() == Proto::ONE_T_ONE_R ? CellType::kOneTOneR : CellType::kOneR;
  hardware.r_access_on_ohm = param.r_access_on_ohm();
  hardware.r_access_off_ohm = param.r_access_off_ohm();
  hardware.level_siemens = ListFromProto(param.level_siemens());
  hardware.level_sigma = ListFromProto(param.level_sigma());
  for (const Proto::Fault& fault : param.fault()) hardware.faults.push_back(FaultFromProto(fault));
  hardware.drift_time_second = param.drift_time_second();
  hardware.drift_t0_second = param.drift_t0_second();
  hardware.drift_nu = param.drift_nu();
  hardware.drift_nu_sigma = param.drift_nu_sigma();
  hardware.cell_curve = CurveFromProto(param.cell_curve());
  hardware.curve_v0_volt = param.curve_v0_volt();
  hardware.curve_volt = ListFromProto(param.curve_volt());
  hardware.curve_ampere = ListFromProto(param.curve_ampere());
  hardware.curve_inputs = IndexFromProto(true, param.curve_inputs());
  hardware.dac_flaws = DacFlawsFromProto(param);
  hardware.adc_bits = static_cast<int>(param.adc_bits());
  switch (param.adc_range()) {
    case Proto::FULL_SCALE:
      hardware.adc_range = AdcRange::kFullScale;
      break;
    case Proto::CALIBRATED:
      hardware.adc_range = AdcRange::kCalibrated;
      break;
    case Proto::GIVEN:
      hardware.adc_range = AdcRange::kGiven;
      break;
  }
  hardware.adc_min_ampere = param.adc_min_ampere();
  hardware.adc_max_ampere = param.adc_max_ampere();
  hardware.adc_calibration = CalibrationFromProto(param.adc_calibration());
  hardware.adc_percentile = param.adc_percentile();
  hardware.adc_flaws = AdcFlawsFromProto(param);
  return hardware;
}

caffe::CrossbarParameter ReadHardware(const std::string& source) {
  caffe::CrossbarParameter param;
  // Text of a message holds a colon or is empty; a path is anything that exists, or that looks like one.
  const bool is_text = source.find(':') != std::string::npos || source.empty();
  std::error_code is_no_name;  // a text may be longer than any name
  if (!is_text || std::filesystem::exists(source, is_no_name)) {
    caffe::ReadProtoFromTextFileOrDie(source, &param);
  } else {
    caffe::ReadProtoFromText(source, "hardware text", &param);
  }
  return param;
}

}  // namespace rxnn
