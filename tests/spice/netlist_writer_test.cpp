// Netlists to the letter; that they describe the right circuit is for ngspice to say (tests/python/test_spice.py).
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdio>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "rxnn/spice.hpp"

namespace rxnn {
namespace {

using Kind = SpiceInputs::Kind;

Hardware TwoByTwo(const WireResistances& wires) {
  Hardware hardware;
  hardware.rows = 2;
  hardware.cols = 2;
  hardware.wires = wires;
  return hardware;
}

const std::vector<double> kCells{1e-5, 2e-6, 0, 0.125};

// What stands after the inputs' heading, without comments.
std::string Elements(const Hardware& hardware, const SpiceInputs& inputs) {
  const std::string text = SpiceNetlist(hardware, kCells.data(), inputs, "test");
  std::string elements;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
    if (text[begin] != '*') elements += text.substr(begin, end + 1 - begin);
  }
  return elements;
}

constexpr char kAnalysis[] =
    ".options reltol=1e-9 vntol=1e-12 abstol=1e-18 itl1=1000 itl2=1000\n"
    ".save i(vs0) i(vs1)\n";

TEST(SpiceNetlist, OfOneVectorIsAnOperatingPoint) {
  const std::vector<double> volts{0.25, 0.1};
  EXPECT_EQ(Elements(TwoByTwo({500, 100, 2.5, 3.5}), {Kind::kVolts, volts.data(), 1}),
            std::string("Vin0 d0 0 DC 0.25\n"
                        "Vin1 d1 0 DC 0.1\n"
                        "Rs0 d0 w0_0 500\n"
                        "Rw0_0 w0_0 w0_1 2.5\n"
                        "Rs1 d1 w1_0 500\n"
                        "Rw1_0 w1_0 w1_1 2.5\n"
                        "Rc0_0 w0_0 b0_0 99999.99999999999\n"  // 1 / 1e-5 in double precision
                        "Rc0_1 w0_1 b0_1 5e+05\n"
                        "Rc1_1 w1_1 b1_1 8\n"
                        "Rb0_0 b0_0 b1_0 3.5\n"
                        "Rk0 b1_0 s0 100\n"
                        "Vs0 s0 0 DC 0\n"
                        "Rb0_1 b0_1 b1_1 3.5\n"
                        "Rk1 b1_1 s1 100\n"
                        "Vs1 s1 0 DC 0\n") +
                kAnalysis + ".op\n.end\n");
}

TEST(SpiceNetlist, JoinsNodesOfZeroOhm) {
  const std::vector<double> volts{0.25, 0.1};
  EXPECT_EQ(Elements(TwoByTwo({0, 0, 0, 0}), {Kind::kVolts, volts.data(), 1}),
            std::string("Vin0 d0 0 DC 0.25\n"
                        "Vin1 d1 0 DC 0.1\n"
                        "Rc0_0 d0 s0 99999.99999999999\n"
                        "Rc0_1 d0 s1 5e+05\n"
                        "Rc1_1 d1 s1 8\n"
                        "Vs0 s0 0 DC 0\n"
                        "Vs1 s1 0 DC 0\n") +
                kAnalysis + ".op\n.end\n");
  const std::string lines = Elements(TwoByTwo({500, 100, 0, 0}), {Kind::kVolts, volts.data(), 1});
  EXPECT_NE(lines.find("Rs0 d0 w0_0 500\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("Rc0_1 w0_0 b0_1 5e+05\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("Rk1 b0_1 s1 100\n"), std::string::npos) << lines;
}

TEST(SpiceNetlist, DrivesAndSensesAtOtherEnds) {
  const std::vector<double> volts{0.25, 0.1};
  Hardware hardware = TwoByTwo({500, 100, 2.5, 3.5});
  hardware.wires.wordline_driven = LineEnds::kBoth;
  hardware.wires.bitline_sensed = LineEnds::kAlternating;
  std::string lines = Elements(hardware, {Kind::kVolts, volts.data(), 1});
  for (const char* line : {"Rs0 d0 w0_0 500\n", "Rt0 d0 w0_1 500\n", "Rs1 d1 w1_0 500\n", "Rt1 d1 w1_1 500\n",
                           "Rk0 b1_0 s0 100\n", "Rl1 b0_1 s1 100\n"}) {
    EXPECT_NE(lines.find(line), std::string::npos) << line << lines;
  }
  EXPECT_EQ(lines.find("Rk1"), std::string::npos) << lines;
  EXPECT_EQ(lines.find("Rl0"), std::string::npos) << lines;

  // Without resistance behind them, drivers and sense amplifiers are the ends of their lines.
  hardware.wires.source_ohm = 0;
  hardware.wires.sink_ohm = 0;
  lines = Elements(hardware, {Kind::kVolts, volts.data(), 1});
  for (const char* line : {"Rw0_0 d0 d0 2.5\n", "Rc0_0 d0 b0_0 ", "Rb0_0 b0_0 s0 3.5\n", "Rc0_1 d0 s1 ",
                           "Rb0_1 s1 b1_1 3.5\n", "Rc1_1 d1 b1_1 8\n"}) {
    EXPECT_NE(lines.find(line), std::string::npos) << line << lines;
  }
}

TEST(SpiceNetlist, WritesSegmentsThatDiffer) {
  const std::vector<double> volts{0.25, 0.1};
  Hardware hardware = TwoByTwo({500, 100, 2.5, 3.5});
  hardware.wires.wordline_segments_ohm = {7};
  hardware.wires.bitline_segments_ohm = {0};
  const std::string lines = Elements(hardware, {Kind::kVolts, volts.data(), 1});
  EXPECT_NE(lines.find("Rw1_0 w1_0 w1_1 7\n"), std::string::npos) << lines;
  EXPECT_NE(lines.find("Rk1 b0_1 s1 100\n"), std::string::npos) << lines;
}

TEST(SpiceNetlist, OfDigitsHasDacsAndASweep) {
  Hardware hardware = TwoByTwo({0, 0, 0, 0});
  hardware.dac_bits = 2;
  const std::vector<double> digits{3, 0, 1, 2, 0, 3};
  const std::string lines = Elements(hardware, {Kind::kDigits, digits.data(), 3});
  EXPECT_EQ(lines.substr(0, lines.find("Rc")),
            "Vvector vector 0 DC 0\n"
            "Bin0 x0 0 V=pwl(V(vector), 0, 3, 1, 1, 2, 0)\n"
            "Bin1 x1 0 V=pwl(V(vector), 0, 0, 1, 2, 2, 3)\n"
            ".func dac(x) {0.25*x/3}\n"
            "Bdac0 d0 0 V=dac(V(x0))\n"
            "Bdac1 d1 0 V=dac(V(x1))\n");
  EXPECT_NE(lines.find(".dc Vvector 0 2 1\n.end\n"), std::string::npos) << lines;
}

// What stands between the drivers and the bit lines.
std::string Cells(const std::string& lines) {
  const std::size_t begin = lines.find(".func cell");
  return lines.substr(begin, lines.find("Vs0") - begin);
}

TEST(SpiceNetlist, OfCurvedCellsHasBehaviouralSources) {
  Hardware hardware = TwoByTwo({0, 0, 0, 0});
  hardware.cell_curve = IvCurve::Kind::kSinh;
  hardware.curve_v0_volt = 0.5;
  hardware.v_read_volt = 0.25;
  const std::vector<double> volts{0.25, 0.1};
  // A cell has its conductance at v_read: 0.25 sinh(v / 0.5) / sinh(0.5).
  std::string cells = Cells(Elements(hardware, {Kind::kVolts, volts.data(), 1}));
  double scale = 0;
  ASSERT_EQ(std::sscanf(cells.c_str(), ".func cell(v) {%lf*sinh(v/0.5)}", &scale), 1) << cells;
  EXPECT_DOUBLE_EQ(scale, 0.25 / std::sinh(0.5));
  EXPECT_EQ(cells.substr(cells.find('\n') + 1),
            "Bc0_0 d0 s0 I=1e-05*cell(V(d0)-V(s0))\n"
            "Bc0_1 d0 s1 I=2e-06*cell(V(d0)-V(s1))\n"
            "Bc1_1 d1 s1 I=0.125*cell(V(d1)-V(s1))\n");

  hardware.cell_type = CellType::kOneTOneR;
  cells = Cells(Elements(hardware, {Kind::kVolts, volts.data(), 1, 1}));  // the second row is not in use
  EXPECT_EQ(cells.substr(cells.find('\n') + 1),
            "Ra0_0 d0 a0_0 3000\n"
            "Bc0_0 a0_0 s0 I=1e-05*cell(V(a0_0)-V(s0))\n"
            "Ra0_1 d0 a0_1 3000\n"
            "Bc0_1 a0_1 s1 I=2e-06*cell(V(a0_1)-V(s1))\n"
            "Ra1_1 d1 a1_1 1e+09\n"
            "Bc1_1 a1_1 s1 I=0.125*cell(V(a1_1)-V(s1))\n");
}

TEST(SpiceNetlist, OfTabulatedCellsHasTheirPointsOnBothSides) {
  Hardware hardware = TwoByTwo({0, 0, 0, 0});
  hardware.cell_curve = IvCurve::Kind::kTable;
  hardware.curve_volt = {0.25, 0.5};
  hardware.curve_ampere = {1, 4};
  hardware.v_read_volt = 0.25;
  const std::vector<double> volts{0.25, 0.1};
  const std::string cells = Cells(Elements(hardware, {Kind::kVolts, volts.data(), 1}));
  // 0.25 A at 0.25 V, 1 A at 0.5 V; the last piece, of 3 S, goes on.
  EXPECT_EQ(cells.substr(0, cells.find('\n')),
            ".func cell(v) {pwl(v, -500, -1499.5, -0.5, -1, -0.25, -0.25, 0, 0, 0.25, 0.25, 0.5, 1, 500, 1499.5)}");
}

TEST(SpiceNetlist, BreaksLongLines) {
  Hardware hardware;
  hardware.rows = 3;
  hardware.cols = 200;
  const std::vector<double> g(600, 1e-6), volts(300, 0.123456789);
  const std::string text = SpiceNetlist(hardware, g.data(), {Kind::kVolts, volts.data(), 100}, "a\nb");
  EXPECT_EQ(text.rfind("* a\n* b\n* 3 x 200 cells", 0), 0u);
  std::size_t longest = 0;
  std::size_t begin = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; begin = end + 1, end = text.find('\n', begin)) {
    longest = std::max(longest, end - begin);
  }
  EXPECT_LE(longest, 120u);
  EXPECT_NE(text.find("\n+"), std::string::npos);
}

std::string MessageOf(const Hardware& hardware, const std::vector<double>& g, const SpiceInputs& inputs) {
  try {
    SpiceNetlist(hardware, g.data(), inputs, "test");
  } catch (const std::invalid_argument& error) {
    return error.what();
  }
  return "no error";
}

TEST(SpiceNetlist, RefusesWhatCannotBe) {
  const Hardware hardware = TwoByTwo({500, 100, 2.5, 2.5});
  const std::vector<double> fine{0, 1}, high{0, 1, 2, 0}, broken{0.5, 0},
      endless{0, std::numeric_limits<double>::infinity()};
  EXPECT_EQ(MessageOf(hardware, kCells, {Kind::kDigits, high.data(), 2}),
            "input of row 0 in vector 1: 2, expected a DAC digit, 0 to 1");
  EXPECT_EQ(MessageOf(hardware, kCells, {Kind::kDigits, broken.data(), 1}),
            "input of row 0 in vector 0: 0.5, expected a DAC digit, 0 to 1");
  EXPECT_EQ(MessageOf(hardware, kCells, {Kind::kVolts, endless.data(), 1}),
            "input of row 1 in vector 0: inf, expected a finite voltage");
  EXPECT_EQ(MessageOf(hardware, kCells, {Kind::kVolts, fine.data(), 0}), "inputs: 0 vectors, expected at least 1");
  EXPECT_EQ(MessageOf(hardware, {1, 1, -1, 1}, {Kind::kVolts, fine.data(), 1}),
            "conductance of cell (1, 0): -1 siemens is out of range, allowed is 0 to 1e+06");
  Hardware impossible = hardware;
  impossible.wires.sink_ohm = -1;
  EXPECT_THROW(SpiceNetlist(impossible, kCells.data(), {Kind::kVolts, fine.data(), 1}, ""), HardwareError);
}

}  // namespace
}  // namespace rxnn
