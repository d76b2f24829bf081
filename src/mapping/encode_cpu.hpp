// The kernels of encode_cpu.cpp behind their run-time dispatch; arguments are not checked.
#pragma once

#include <cstdint>

#include "mapping/encode.hpp"

namespace rxnn {

// Smallest and largest input, and the largest bit pattern of a magnitude: from 0x7F800000 on one is not finite.
void FindRangeCpu(const float* inputs, std::int64_t count, float* low, float* high, std::uint32_t* magnitude_bits);
// Smallest and largest code, 0 included.
void FindCodeRangeCpu(const std::int32_t* codes, std::int64_t count, std::int32_t* low, std::int32_t* high);
void EncodeInputsCpu(const float* inputs, std::int64_t count, float range, std::int32_t largest_code, bool has_negative,
                     const CodePlanes& planes);
void SplitCodesCpu(const std::int32_t* codes, std::int64_t count, bool has_negative, const CodePlanes& planes);

}  // namespace rxnn
