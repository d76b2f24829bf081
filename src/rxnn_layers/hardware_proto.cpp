#include "rxnn_layers/hardware_proto.hpp"

#include <filesystem>

#include "caffe/util/io.hpp"

namespace rxnn {

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
  hardware.input_bits = static_cast<int>(param.input_bits());
  hardware.dac_bits = static_cast<int>(param.dac_bits());
  hardware.input_range = param.input_range();
  hardware.v_read_volt = param.v_read_volt();
  hardware.r_on_ohm = param.r_on_ohm();
  hardware.r_off_ohm = param.r_off_ohm();
  hardware.wires = {param.r_source_ohm(), param.r_sink_ohm(), param.r_wordline_ohm(), param.r_bitline_ohm()};
  hardware.conductance_sigma = param.conductance_sigma();
  hardware.conductance_distribution =
      param.conductance_distribution() == Proto::LOG_NORMAL ? Distribution::kLogNormal : Distribution::kNormal;
  hardware.stuck_on_rate = param.stuck_on_rate();
  hardware.stuck_off_rate = param.stuck_off_rate();
  hardware.read_noise_sigma = param.read_noise_sigma();
  hardware.seed = param.seed();
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
  return hardware;
}

caffe::CrossbarParameter ReadHardware(const std::string& source) {
  caffe::CrossbarParameter param;
  // Text of a message holds a colon or is empty; a path is anything that exists, or that looks like one.
  const bool is_text = source.find(':') != std::string::npos || source.empty();
  if (!is_text || std::filesystem::exists(source)) {
    caffe::ReadProtoFromTextFileOrDie(source, &param);
  } else {
    caffe::ReadProtoFromText(source, "hardware text", &param);
  }
  HardwareFromProto(param).Validate();
  return param;
}

}  // namespace rxnn
