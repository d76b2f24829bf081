// Inputs to the bytes of their codes: the fast form of QuantizeInputs.
#pragma once

#include <cstdint>

#include "rxnn/hardware.hpp"
#include "rxnn/mapping.hpp"

namespace rxnn {

// Where the bytes of codes go: [pass][byte], pass 0 the positive parts, pass 1 the magnitudes of the negative ones;
// byte 1 where codes have more than 8 bits.
struct CodePlanes {
  std::uint8_t* bytes[2][2] = {};
};

// The smallest and the largest of some inputs; both 0 where there is none.
struct InputRange {
  float low = 0;
  float high = 0;
};

// Of inputs[begin .. end - 1]. Throws std::invalid_argument for one that is not finite.
InputRange FindRange(const float* inputs, std::int64_t begin, std::int64_t end);

// What QuantizeInputs would say of inputs of this range.
InputScale ScaleOf(const Hardware& hardware, const InputRange& range);

// The codes of QuantizeInputs, to the bit, as bytes. Pass 1 is written where scale.has_negative.
void EncodeInputs(const Hardware& hardware, const float* inputs, std::int64_t count, const InputScale& scale,
                  const CodePlanes& planes);

// Smallest and largest of some codes and 0.
struct CodeRange {
  std::int32_t low = 0;
  std::int32_t high = 0;
};
CodeRange FindCodeRange(const std::int32_t* codes, std::int64_t count);

// Codes that are there already.
void SplitCodes(const std::int32_t* codes, std::int64_t count, bool has_negative, const CodePlanes& planes);

}  // namespace rxnn
