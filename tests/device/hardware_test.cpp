#include "rxnn/hardware.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <string>

#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

std::string Refusal(const std::function<void(Hardware&)>& change) {
  Hardware hardware;
  change(hardware);
  try {
    hardware.Validate();
  } catch (const HardwareError& error) {
    return error.what();
  }
  return "";
}

TEST(Hardware, DefaultsAreValid) { EXPECT_NO_THROW(Hardware().Validate()); }

TEST(Hardware, TakesTheEndsOfEveryRange) {
  EXPECT_EQ(Refusal([](Hardware& h) { h.rows = 1, h.cols = 4096; }), "");
  EXPECT_EQ(Refusal([](Hardware& h) { h.weight_bits = 16, h.cell_bits = 16; }), "");
  EXPECT_EQ(Refusal([](Hardware& h) { h.weight_bits = 2, h.cell_bits = 1; }), "");
  EXPECT_EQ(Refusal([](Hardware& h) { h.input_bits = 16, h.dac_bits = 16; }), "");
  EXPECT_EQ(Refusal([](Hardware& h) { h.wires = {0, 0, 0, 0}; }), "");
  EXPECT_EQ(Refusal([](Hardware& h) { h.stuck_on_rate = 0.25, h.stuck_off_rate = 0.75; }), "");
  EXPECT_EQ(Refusal([](Hardware& h) { h.adc_bits = 0; }), "");
  EXPECT_EQ(Refusal([](Hardware& h) { h.adc_bits = 24; }), "");
  EXPECT_EQ(
      Refusal([](Hardware& h) { h.adc_range = AdcRange::kGiven, h.adc_min_ampere = -1e-6, h.adc_max_ampere = 0; }), "");
}

TEST(Hardware, NamesFieldValueAndRange) {
  EXPECT_EQ(Refusal([](Hardware& h) { h.rows = 0; }), "rows: 0 is out of range, allowed is 1 to 4096");
  EXPECT_EQ(Refusal([](Hardware& h) { h.cols = 4097; }), "cols: 4097 is out of range, allowed is 1 to 4096");
  EXPECT_EQ(Refusal([](Hardware& h) { h.weight_bits = 1; }), "weight_bits: 1 is out of range, allowed is 2 to 16");
  EXPECT_EQ(Refusal([](Hardware& h) { h.cell_bits = 9; }), "cell_bits: 9 must not be above weight_bits (8)");
  EXPECT_EQ(Refusal([](Hardware& h) { h.dac_bits = 9; }), "dac_bits: 9 must not be above input_bits (8)");
  EXPECT_EQ(Refusal([](Hardware& h) { h.v_read_volt = 0; }), "v_read_volt: 0 is out of range, allowed is above 0");
  EXPECT_EQ(Refusal([](Hardware& h) { h.r_off_ohm = 1e4; }), "r_off_ohm: 10000 must be above r_on_ohm (100000)");
  EXPECT_EQ(Refusal([](Hardware& h) { h.wires.bitline_ohm = -1; }),
            "r_bitline_ohm: -1 is out of range, allowed is at least 0");
  EXPECT_EQ(Refusal([](Hardware& h) { h.stuck_on_rate = 0.75, h.stuck_off_rate = 0.5; }),
            "stuck_on_rate + stuck_off_rate: 1.25 is out of range, allowed is 0 to 1");
  EXPECT_EQ(Refusal([](Hardware& h) {
              h.level_siemens = {1e-6, 2e-6};
            }),
            "level_siemens: 2 values, expected 4 (2^cell_bits) or none");
  EXPECT_EQ(Refusal([](Hardware& h) {
              h.level_siemens = {1e-6, 2e-6, 2e-6, 3e-6};
            }),
            "level_siemens[2]: 2e-06 must be above level_siemens[1] (2e-06)");
  EXPECT_EQ(Refusal([](Hardware& h) {
              h.level_siemens = {0, 1e-6, 2e-6, 3e-6};
            }),
            "level_siemens[0]: 0 is out of range, allowed is above 0 to 1e+06");
  EXPECT_EQ(Refusal([](Hardware& h) {
              h.level_sigma = {0, 0, -1, 0};
            }),
            "level_sigma[2]: -1 is out of range, allowed is at least 0");
  EXPECT_EQ(Refusal([](Hardware& h) {
              h.level_sigma = {0, 0, 1, 0}, h.conductance_sigma = 0.1;
            }),
            "conductance_sigma and level_sigma: both are given, expected one of them");
  EXPECT_EQ(Refusal([](Hardware& h) {
              h.faults = {{"", -1, 3, 64, 0}};
            }),
            "fault[0].col: 64 is out of range, allowed is 0 to 63");
  EXPECT_EQ(Refusal([](Hardware& h) {
              h.faults = {{}, {"", -1, 3, 3, -1}};
            }),
            "fault[1].conductance_siemens: -1 is out of range, allowed is 0 to 1e+06");
  EXPECT_EQ(Refusal([](Hardware& h) { h.drift_time_second = 0.5; }),
            "drift_time_second: 0.5 must be 0 or at least drift_t0_second (1)");
  EXPECT_EQ(Refusal([](Hardware& h) { h.wires.wordline_segments_ohm = {1}; }),
            "r_wordline_segment_ohm: 1 values, expected 63 (cols - 1) or none");
  EXPECT_EQ(Refusal([](Hardware& h) { h.adc_bits = 25; }), "adc_bits: 25 is out of range, allowed is 0 to 24");
  EXPECT_EQ(Refusal([](Hardware& h) { h.adc_range = AdcRange::kGiven, h.adc_min_ampere = std::nan(""); }),
            "adc_min_ampere: nan is out of range, allowed is any finite number");
  EXPECT_EQ(Refusal([](Hardware& h) { h.conductance_sigma = HUGE_VAL; }),
            "conductance_sigma: inf is out of range, allowed is a finite number, at least 0");
  EXPECT_EQ(Refusal([](Hardware& h) { h.adc_range = AdcRange::kGiven, h.adc_max_ampere = HUGE_VAL; }),
            "adc_max_ampere: inf must be finite and above adc_min_ampere (0)");
  EXPECT_EQ(Refusal([](Hardware& h) { h.adc_range = AdcRange::kGiven; }),
            "adc_max_ampere: 0 must be above adc_min_ampere (0)");
}

// Every field of floating point, and what it must not be besides infinite and not a number.
TEST(Hardware, RefusesWhatIsNotFinite) {
  struct Field {
    const char* name;
    std::function<void(Hardware&, double)> set;
  };
  const Field fields[] = {
      {"input_range", [](Hardware& h, double v) { h.input_range = v; }},
      {"v_read_volt", [](Hardware& h, double v) { h.v_read_volt = v; }},
      {"r_on_ohm", [](Hardware& h, double v) { h.r_on_ohm = v; }},
      {"r_off_ohm", [](Hardware& h, double v) { h.r_off_ohm = v; }},
      {"r_source_ohm", [](Hardware& h, double v) { h.wires.source_ohm = v; }},
      {"r_sink_ohm", [](Hardware& h, double v) { h.wires.sink_ohm = v; }},
      {"r_wordline_ohm", [](Hardware& h, double v) { h.wires.wordline_ohm = v; }},
      {"r_bitline_ohm", [](Hardware& h, double v) { h.wires.bitline_ohm = v; }},
      {"conductance_sigma", [](Hardware& h, double v) { h.conductance_sigma = v; }},
      {"r_wordline_segment_ohm[0]", [](Hardware& h, double v) { h.wires.wordline_segments_ohm.assign(63, v); }},
      {"r_bitline_segment_ohm[0]", [](Hardware& h, double v) { h.wires.bitline_segments_ohm.assign(63, v); }},
      {"r_access_on_ohm", [](Hardware& h, double v) { h.r_access_on_ohm = v; }},
      {"r_access_off_ohm", [](Hardware& h, double v) { h.r_access_off_ohm = v; }},
      {"level_siemens[3]",
       [](Hardware& h, double v) {
         h.level_siemens = {1e-6, 2e-6, 3e-6, v};
       }},
      {"level_sigma[3]",
       [](Hardware& h, double v) {
         h.level_sigma = {0, 0, 0, v};
       }},
      {"fault[0].conductance_siemens",
       [](Hardware& h, double v) {
         h.faults = {{"", 0, 0, 0, v}};
       }},
      {"drift_time_second", [](Hardware& h, double v) { h.drift_time_second = v; }},
      {"drift_t0_second", [](Hardware& h, double v) { h.drift_t0_second = v; }},
      {"drift_nu", [](Hardware& h, double v) { h.drift_nu = v; }},
      {"drift_nu_sigma", [](Hardware& h, double v) { h.drift_nu_sigma = v; }},
      {"stuck_on_rate", [](Hardware& h, double v) { h.stuck_on_rate = v; }},
      {"stuck_off_rate", [](Hardware& h, double v) { h.stuck_off_rate = v; }},
      {"read_noise_sigma", [](Hardware& h, double v) { h.read_noise_sigma = v; }},
      {"adc_min_ampere", [](Hardware& h, double v) { h.adc_range = AdcRange::kGiven, h.adc_min_ampere = v; }},
      {"adc_max_ampere", [](Hardware& h, double v) { h.adc_range = AdcRange::kGiven, h.adc_max_ampere = v; }},
  };
  for (const Field& field : fields) {
    for (const double value : {std::nan(""), std::numeric_limits<double>::infinity(), -1e-3}) {
      if (value < 0 && std::string(field.name) == "adc_min_ampere") continue;
      const std::string message = Refusal([&](Hardware& h) { field.set(h, value); });
      EXPECT_EQ(message.rfind(std::string(field.name) + ": ", 0), 0u)
          << field.name << " = " << value << ": " << message;
    }
  }
}

TEST(Hardware, DerivesSlicesStreamsAndLevels) {
  Hardware h;
  EXPECT_EQ(h.num_slices(), 4);  // 7 magnitude bits in digits of 2
  h.signed_weights = SignedWeights::kOffset;
  EXPECT_EQ(h.num_slices(), 4);  // 8 bits in digits of 2
  h.weight_bits = 9;
  EXPECT_EQ(h.num_slices(), 5);
  h.dac_bits = 3;
  EXPECT_EQ(h.num_streams(), 3);
  EXPECT_EQ(h.max_weight_code(), 255);
  EXPECT_EQ(h.max_input_code(), 255);
  EXPECT_NEAR(h.g_off() + 3 * h.g_step(), h.g_on(), tolerance::kPositiveRelative * h.g_on());
}

}  // namespace
}  // namespace rxnn
