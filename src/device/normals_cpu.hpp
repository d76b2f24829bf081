// Many normal deviates at once, for every instruction set.
#pragma once

#include <cstdint>

namespace rxnn {

// deviates[i] for i in [0, count): the Box-Muller deviate of Philox block {index + i, array, purpose} under `key`
// (rxnn/random.hpp); equal to ChipRandom::Normal but for the rounding of logarithm and cosine.
void NormalDeviates(const std::uint32_t key[2], std::uint32_t purpose, std::uint32_t array, std::uint64_t index,
                    std::int64_t count, double* deviates);

}  // namespace rxnn
