#include "rxnn/random.hpp"

#include <cmath>

#include "device/normals_cpu.hpp"

namespace rxnn {
namespace {

// 64-bit FNV-1a (Fowler, Noll, Vo).
std::uint64_t HashName(std::string_view name) {
  std::uint64_t hash = 0xCBF29CE484222325u;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return hash;
}

constexpr double kTwoPi = 6.283185307179586476925286766559;

// The counter of a draw: 64 bits of index, the array, the purpose.
std::array<std::uint32_t, 4> Counter(Draw draw, std::uint32_t array, std::uint64_t index) {
  return {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), array,
          static_cast<std::uint32_t>(draw)};
}

}  // namespace

std::array<std::uint32_t, 4> Philox4x32(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  constexpr std::uint32_t kMultiplier0 = 0xD2511F53u;
  constexpr std::uint32_t kMultiplier1 = 0xCD9E8D57u;
  constexpr std::uint32_t kWeyl0 = 0x9E3779B9u;  // golden ratio
  constexpr std::uint32_t kWeyl1 = 0xBB67AE85u;  // sqrt(3) - 1
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = static_cast<std::uint64_t>(kMultiplier0) * counter[0];
    const std::uint64_t product1 = static_cast<std::uint64_t>(kMultiplier1) * counter[2];
    counter = {static_cast<std::uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(product1),
               static_cast<std::uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

ChipRandom::ChipRandom(std::uint64_t seed, std::string_view layer) {
  // Seed and layer are mixed by Philox itself, so that neighbouring seeds share nothing.
  const std::uint64_t name = HashName(layer);
  const auto mixed = Philox4x32({static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32), 0, 0},
                                {static_cast<std::uint32_t>(name), static_cast<std::uint32_t>(name >> 32)});
  key_ = {mixed[0], mixed[1]};
}

double ChipRandom::Uniform(Draw draw, std::uint32_t array, std::uint64_t index) const {
  const auto bits = Philox4x32(Counter(draw, array, index), key_);
  // 52 bits and a half: with 53 the largest would round to 1.
  const std::uint64_t mantissa = (static_cast<std::uint64_t>(bits[0]) << 20) ^ (bits[1] >> 12);
  return (static_cast<double>(mantissa) + 0.5) * 0x1p-52;
}

double ChipRandom::Normal(Draw draw, std::uint32_t array, std::uint64_t index) const {
  const auto bits = Philox4x32(Counter(draw, array, index), key_);
  const double radius = (bits[0] + 0.5) * 0x1p-32;
  const double angle = (bits[1] + 0.5) * 0x1p-32;
  return std::sqrt(-2 * std::log(radius)) * std::cos(kTwoPi * angle);
}

void ChipRandom::Normals(Draw draw, std::uint32_t array, std::uint64_t index, std::int64_t count,
                         double* normals) const {
  NormalDeviates(key_.data(), static_cast<std::uint32_t>(draw), array, index, count, normals);
}

}  // namespace rxnn
