// Counter-based randomness: the same chip whatever the thread count, the order or the machine.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace rxnn {

// Philox4x32-10: ten rounds of the Philox bijection of a 128-bit counter under a 64-bit key.
// Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC'11.
std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key);

// What a stream of draws is for; streams of different purpose are independent.
enum class Draw : std::uint32_t {
  kVariation = 0,
  kStuck = 1,
  kReadNoise = 2,
  kDrift = 3,
  kCurveInput = 4,
  kDacStep = 5,
  kDacNoise = 6,
  kAdcGain = 7,
  kAdcOffset = 8,
  kAdcTransition = 9,
  kAdcNoise = 10
};

// The draws of one layer of one chip. Stateless: every draw is a function of its arguments.
class ChipRandom {
 public:
  // `seed` names the chip; `layer` the layer (hashed with 64-bit FNV-1a).
  ChipRandom(std::uint64_t seed, std::string_view layer);

  // Uniform in (0, 1), ends excluded, 52 bits. `array` and `index` (a cell, or a read) name the draw.
  double Uniform(Draw draw, std::uint32_t array, std::uint64_t index) const;
  // Standard normal (Box-Muller on two 32-bit halves of one block).
  double Normal(Draw draw, std::uint32_t array, std::uint64_t index) const;
  // The same for the `count` indices from `index` on, many at a time; equal to Normal but for the rounding of its
  // logarithm and cosine, which depends on the instruction set.
  void Normals(Draw draw, std::uint32_t array, std::uint64_t index, std::int64_t count, double* normals) const;

  const std::array<std::uint32_t, 2>& key() const { return key_; }  // of Philox4x32

 private:
  std::array<std::uint32_t, 2> key_;
};

}  // namespace rxnn
