#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <sstream>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "circuit/check_array.hpp"
#include "rxnn/device.hpp"
#include "rxnn/periphery.hpp"
#include "rxnn/spice.hpp"

namespace rxnn {
namespace {

// Shortest text that reads back as the same number.
std::string Text(double value) {
  char buffer[32];
  const auto [end, error] = std::to_chars(buffer, buffer + sizeof buffer, value);
  return {buffer, end};
}

std::string Place(int row, int col) { return std::to_string(row) + "_" + std::to_string(col); }

// Lines of a netlist end somewhere: words that would make one longer go to the next, which starts with a plus.
class LongLine {
 public:
  explicit LongLine(std::string* text) : text_(*text), start_(text->size()) {}
  ~LongLine() { text_ += '\n'; }
  LongLine(const LongLine&) = delete;
  LongLine& operator=(const LongLine&) = delete;

  void Add(const std::string& word) {
    constexpr std::size_t kWidth = 120;
    if (text_.size() + word.size() - start_ > kWidth) {
      text_ += "\n+ ";
      start_ = text_.size() - 2;
    }
    text_ += word;
  }

 private:
  std::string& text_;
  std::size_t start_;  // of the line that is being written
};

// Nodes along a line: the number of the first node that each is joined to by segments of 0 ohm, or kTerminal where that
// is the driver or the sense amplifier.
constexpr int kTerminal = -1;

template <typename Segment>
std::vector<int> JoinedNodes(int count, const Segment& segment, bool terminal_at_first, bool terminal_at_last) {
  std::vector<int> joined(count);
  for (int k = 0; k < count; ++k) joined[k] = k > 0 && segment(k - 1) == 0 ? joined[k - 1] : k;
  const auto make_terminal = [&](int node) { std::replace(joined.begin(), joined.end(), node, kTerminal); };
  if (terminal_at_last) make_terminal(joined.back());
  if (terminal_at_first) make_terminal(joined.front());
  return joined;
}

class NetlistWriter {
 public:
  NetlistWriter(const Hardware& hardware, const double* g, const SpiceInputs& inputs)
      : hardware_(hardware),
        g_(g),
        inputs_(inputs),
        rows_(hardware.rows),
        cols_(hardware.cols),
        access_ohm_(AccessResistances(hardware, inputs.used_rows < 0 ? hardware.rows : inputs.used_rows)) {
    const WireResistances& wires = hardware.wires;
    for (int parity = 0; parity < 2; ++parity) {  // alternating ends make two kinds of lines, there are no others
      word_lines_[parity] = JoinedNodes(
          cols_, [&](int j) { return wires.wordline_segment(j); },
          wires.source_ohm == 0 && HasNearEnd(wires.wordline_driven, parity),
          wires.source_ohm == 0 && HasFarEnd(wires.wordline_driven, parity));
      bit_lines_[parity] = JoinedNodes(
          rows_, [&](int i) { return wires.bitline_segment(i); },
          wires.sink_ohm == 0 && HasFarEnd(wires.bitline_sensed, parity),
          wires.sink_ohm == 0 && HasNearEnd(wires.bitline_sensed, parity));
    }
  }

  std::string Write(const std::string& comment) {
    WriteHead(comment);
    WriteInputs();
    WriteWordLines();
    WriteCells();
    WriteBitLines();
    WriteAnalysis();
    return std::move(text_);
  }

 private:
  bool digits() const { return inputs_.kind == SpiceInputs::Kind::kDigits; }
  bool sweep() const { return inputs_.count > 1; }

  std::string Word(int i, int j) const {
    const int joined = word_lines_[i % 2][j];
    return joined == kTerminal ? Driver(i) : "w" + Place(i, joined);
  }
  std::string Bit(int i, int j) const {
    const int joined = bit_lines_[j % 2][i];
    return joined == kTerminal ? Sense(j) : "b" + Place(joined, j);
  }
  static std::string Driver(int i) { return "d" + std::to_string(i); }
  static std::string Sense(int j) { return "s" + std::to_string(j); }

  static std::string Segments(double ohm, const std::vector<double>& segments) {
    return segments.empty() ? Text(ohm) : "as listed";
  }
  static std::string Ends(LineEnds ends, const std::string& near, const std::string& far) {
    switch (ends) {
      case LineEnds::kBoth:
        return near + " and at the other";
      case LineEnds::kAlternating:
        return near + ", those with odd numbers " + far;
      case LineEnds::kOne:
        break;
    }
    return near;
  }

  void Line(const std::string& line) {
    text_ += line;
    text_ += '\n';
  }
  void Resistor(const std::string& name, const std::string& a, const std::string& b, double ohm) {
    Line("R" + name + " " + a + " " + b + " " + Text(ohm));
  }

  // Ends joined by 0 ohm are one node already.
  void Wire(const std::string& name, const std::string& a, const std::string& b, double ohm) {
    if (ohm > 0) Resistor(name, a, b, ohm);
  }

  void WriteHead(const std::string& comment) {
    std::istringstream lines(comment);
    for (std::string line; std::getline(lines, line);) Line("* " + line);
    if (text_.empty()) Line("* crossbar");  // the first line of a netlist is its title, whatever it says
    const WireResistances& wires = hardware_.wires;
    Line("* " + std::to_string(rows_) + " x " + std::to_string(cols_) + " cells; r_source " + Text(wires.source_ohm) +
         ", r_sink " + Text(wires.sink_ohm) + ", r_wordline " + Text(wires.wordline_ohm) + ", r_bitline " +
         Text(wires.bitline_ohm) + " ohm");
    Line("* nodes: d driver of a row, w word line and b bit line at a cell (row_column), s virtual ground of a column");
    if (digits()) Line("* x input of a DAC: its digit, one volt for each");
  }

  void WriteInputs() {
    Line("*");
    Line(digits() ? "* inputs: digits" : "* inputs: volts at the drivers");
    if (sweep()) {
      Line("* the voltage of node vector is the number of the input vector");
      Line("Vvector vector 0 DC 0");
    }
    for (int i = 0; i < rows_; ++i) WriteInput(i);
    if (!digits()) return;
    Line("*");
    Line("* DACs: digit to volts");
    WriteDacTransfer();
    for (int i = 0; i < rows_; ++i) {
      Line("Bdac" + std::to_string(i) + " " + Driver(i) + " 0 V=dac(V(x" + std::to_string(i) + "))");
    }
  }

  void WriteInput(int i) {
    const std::string node = digits() ? "x" + std::to_string(i) : Driver(i);
    const std::string name = "in" + std::to_string(i) + " " + node + " 0 ";
    if (!sweep()) {
      Line("V" + name + "DC " + Text(inputs_.values[i]));
      return;
    }
    LongLine line(&text_);
    line.Add("B" + name + "V=pwl(V(vector)");
    for (int k = 0; k < inputs_.count; ++k) {
      line.Add(", " + std::to_string(k) + ", " + Text(inputs_.values[static_cast<std::size_t>(k) * rows_ + i]));
    }
    line.Add(")");
  }

  // The straight line, or all of its points.
  void WriteDacTransfer() {
    const int largest = (1 << hardware_.dac_bits) - 1;
    bool straight = true;
    for (int d = 0; d <= largest; ++d) {
      straight = straight && DacVoltage(hardware_, d) == hardware_.v_read_volt * d / largest;
    }
    LongLine line(&text_);
    if (straight) {
      line.Add(".func dac(x) {" + Text(hardware_.v_read_volt) + "*x/" + std::to_string(largest) + "}");
      return;
    }
    line.Add(".func dac(x) {pwl(x");
    for (int d = 0; d <= largest; ++d) line.Add(", " + std::to_string(d) + ", " + Text(DacVoltage(hardware_, d)));
    line.Add(")}");
  }

  void WriteWordLines() {
    const WireResistances& wires = hardware_.wires;
    Line("*");
    Line("* drivers and word lines");
    for (int i = 0; i < rows_; ++i) {
      if (HasNearEnd(wires.wordline_driven, i)) {
        Wire("s" + std::to_string(i), Driver(i), Word(i, 0), wires.source_ohm);
      }
      if (HasFarEnd(wires.wordline_driven, i)) {
        Wire("t" + std::to_string(i), Driver(i), Word(i, cols_ - 1), wires.source_ohm);
      }
      for (int j = 0; j + 1 < cols_; ++j) {
        Wire("w" + Place(i, j), Word(i, j), Word(i, j + 1), wires.wordline_segment(j));
      }
    }
  }

  void WriteCells() {
    Line("*");
    Line("* cells");
    if (!hardware_.linear_cells()) WriteCellCurve();
    for (int i = 0; i < rows_; ++i) {
      for (int j = 0; j < cols_; ++j) {
        const double g = g_[static_cast<std::size_t>(i) * cols_ + j];
        if (g == 0) continue;
        if (hardware_.linear_cells()) {
          Resistor("c" + Place(i, j), Word(i, j), Bit(i, j), 1 / g);
        } else {
          WriteCurvedCell(i, j, g);
        }
      }
    }
  }

  // Current of a cell of 1 S.
  void WriteCellCurve() {
    const IvCurve curve = CellCurve(hardware_);
    if (curve.kind == IvCurve::Kind::kSinh) {
      Line(".func cell(v) {" + Text(curve.scale * curve.v0_volt) + "*sinh(v/" + Text(curve.v0_volt) + ")}");
      return;
    }
    // pwl stops at its last point; the curve goes on.
    std::vector<double> volt = curve.volt;
    volt.push_back(1e3 * volt.back());
    LongLine line(&text_);
    line.Add(".func cell(v) {pwl(v");
    for (std::size_t k = volt.size(); k-- > 0;) line.Add(", " + Text(-volt[k]) + ", " + Text(curve.Current(-volt[k])));
    line.Add(", 0, 0");
    for (const double v : volt) line.Add(", " + Text(v) + ", " + Text(curve.Current(v)));
    line.Add(")}");
  }

  void WriteCurvedCell(int i, int j, double g) {
    const double access = access_ohm_.empty() ? 0 : access_ohm_[i];
    std::string top = Word(i, j);
    if (access > 0) {
      top = "a" + Place(i, j);
      Resistor("a" + Place(i, j), Word(i, j), top, access);
    }
    Line("Bc" + Place(i, j) + " " + top + " " + Bit(i, j) + " I=" + Text(g) + "*cell(V(" + top + ")-V(" + Bit(i, j) +
         "))");
  }

  void WriteBitLines() {
    const WireResistances& wires = hardware_.wires;
    Line("*");
    Line("* bit lines and sense amplifiers");
    for (int j = 0; j < cols_; ++j) {
      for (int i = 0; i + 1 < rows_; ++i) {
        Wire("b" + Place(i, j), Bit(i, j), Bit(i + 1, j), wires.bitline_segment(i));
      }
      if (HasNearEnd(wires.bitline_sensed, j)) {
        Wire("k" + std::to_string(j), Bit(rows_ - 1, j), Sense(j), wires.sink_ohm);
      }
      if (HasFarEnd(wires.bitline_sensed, j)) Wire("l" + std::to_string(j), Bit(0, j), Sense(j), wires.sink_ohm);
      Line("Vs" + std::to_string(j) + " " + Sense(j) + " 0 DC 0");
    }
  }

  // Tolerances far below what currents are compared to; a linear circuit is solved to rounding anyway.
  void WriteAnalysis() {
    Line("*");
    Line(".options reltol=1e-9 vntol=1e-12 abstol=1e-18 itl1=1000 itl2=1000");
    {
      LongLine line(&text_);
      line.Add(".save");
      for (int j = 0; j < cols_; ++j) line.Add(" i(vs" + std::to_string(j) + ")");
    }
    Line(sweep() ? ".dc Vvector 0 " + std::to_string(inputs_.count - 1) + " 1" : ".op");
    Line(".end");
  }

  const Hardware& hardware_;
  const double* g_;
  const SpiceInputs& inputs_;
  const int rows_, cols_;
  const std::vector<double> access_ohm_;           // of every row, where cells have transistors
  std::vector<int> word_lines_[2], bit_lines_[2];  // JoinedNodes of even and odd lines
  std::string text_;
};

void CheckInputs(const Hardware& hardware, const SpiceInputs& inputs) {
  if (inputs.count < 1) {
    throw std::invalid_argument("inputs: " + std::to_string(inputs.count) + " vectors, expected at least 1");
  }
  const bool digits = inputs.kind == SpiceInputs::Kind::kDigits;
  const int largest = (1 << hardware.dac_bits) - 1;
  for (int k = 0; k < inputs.count; ++k) {
    for (int i = 0; i < hardware.rows; ++i) {
      const double value = inputs.values[static_cast<std::size_t>(k) * hardware.rows + i];
      if (digits ? value >= 0 && value <= largest && value == std::floor(value) : std::isfinite(value)) continue;
      std::ostringstream message;
      message << "input of row " << i << " in vector " << k << ": " << value << ", expected ";
      if (digits) {
        message << "a DAC digit, 0 to " << largest;
      } else {
        message << "a finite voltage";
      }
      throw std::invalid_argument(message.str());
    }
  }
}

}  // namespace

std::string SpiceNetlist(const Hardware& hardware, const double* g, const SpiceInputs& inputs,
                         const std::string& comment) {
  hardware.Validate();
  circuit::CheckArray(hardware.rows, hardware.cols, hardware.wires);
  circuit::CheckCells(g, 1, hardware.rows, hardware.cols);
  CheckInputs(hardware, inputs);
  return NetlistWriter(hardware, g, inputs).Write(comment);
}

}  // namespace rxnn
