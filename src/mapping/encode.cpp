#include "mapping/encode.hpp"

#include <algorithm>
#include <cmath>
#include <sstream>
#include <stdexcept>

#include "mapping/encode_cpu.hpp"

namespace rxnn {

InputRange FindRange(const float* inputs, std::int64_t begin, std::int64_t end) {
  InputRange range;
  std::uint32_t magnitude_bits = 0;
  FindRangeCpu(inputs + begin, end - begin, &range.low, &range.high, &magnitude_bits);
  constexpr std::uint32_t kInfinity = 0x7F800000;
  if (magnitude_bits < kInfinity) return range;
  const float* bad = std::find_if(inputs + begin, inputs + end, [](float x) { return !std::isfinite(x); });
  std::ostringstream message;
  message << "input " << bad - inputs << " is " << *bad << ", expected a finite number";
  throw std::invalid_argument(message.str());
}

InputScale ScaleOf(const Hardware& hardware, const InputRange& range) {
  InputScale scale;
  const float largest = std::max(range.high, -range.low);
  scale.range = hardware.input_range > 0 ? static_cast<float>(hardware.input_range) : largest;
  // Codes rise with inputs: the lowest decides.
  scale.has_negative = InputCode(hardware, range.low, scale.range) < 0;
  return scale;
}

void EncodeInputs(const Hardware& hardware, const float* inputs, std::int64_t count, const InputScale& scale,
                  const CodePlanes& planes) {
  EncodeInputsCpu(inputs, count, scale.range, hardware.max_input_code(), scale.has_negative, planes);
}

CodeRange FindCodeRange(const std::int32_t* codes, std::int64_t count) {
  CodeRange range;
  FindCodeRangeCpu(codes, count, &range.low, &range.high);
  return range;
}

void SplitCodes(const std::int32_t* codes, std::int64_t count, bool has_negative, const CodePlanes& planes) {
  SplitCodesCpu(codes, count, has_negative, planes);
}

}  // namespace rxnn
