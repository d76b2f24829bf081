#include <cmath>

#include "cuda/launch.cuh"
#include "device/program_cuda.hpp"

namespace rxnn::cuda {
namespace {

constexpr int kThreads = 256;

struct Bits {
  std::uint32_t words[4];
};

// Philox4x32 of random.cpp, with the counter of ChipRandom's draws.
__device__ Bits Philox(const std::uint32_t (&key)[2], Draw draw, std::uint32_t array, std::uint64_t index) {
  std::uint32_t c0 = static_cast<std::uint32_t>(index), c1 = static_cast<std::uint32_t>(index >> 32), c2 = array,
                c3 = static_cast<std::uint32_t>(draw);
  std::uint32_t key0 = key[0], key1 = key[1];
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t product0 = static_cast<std::uint64_t>(0xD2511F53u) * c0;
    const std::uint64_t product1 = static_cast<std::uint64_t>(0xCD9E8D57u) * c2;
    c0 = static_cast<std::uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<std::uint32_t>(product1);
    c2 = static_cast<std::uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<std::uint32_t>(product0);
    key0 += 0x9E3779B9u;
    key1 += 0xBB67AE85u;
  }
  return {{c0, c1, c2, c3}};
}

// ChipRandom::Uniform and ::Normal.
__device__ double Uniform(const CellLaw& law, Draw draw, std::uint32_t array, std::uint64_t index) {
  const Bits bits = Philox(law.key, draw, array, index);
  const std::uint64_t mantissa = (static_cast<std::uint64_t>(bits.words[0]) << 20) ^ (bits.words[1] >> 12);
  return (static_cast<double>(mantissa) + 0.5) * (1.0 / (1LL << 52));
}
__device__ double Normal(const CellLaw& law, Draw draw, std::uint32_t array, std::uint64_t index) {
  constexpr double kTwoPi = 6.283185307179586476925286766559;
  constexpr double kUnit = 1.0 / (1LL << 32);
  const Bits bits = Philox(law.key, draw, array, index);
  const double radius = (bits.words[0] + 0.5) * kUnit;
  const double angle = (bits.words[1] + 0.5) * kUnit;
  return sqrt(-2 * log(radius)) * cos(kTwoPi * angle);
}

__global__ void ProgramCellsKernel(CellLaw law, std::uint32_t first_array, std::int64_t count,
                                   const std::uint16_t* digits, double* g) {
  const std::int64_t i = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (i >= count) return;
  const std::uint32_t array = first_array + static_cast<std::uint32_t>(i / law.cells);
  const std::uint64_t cell = static_cast<std::uint64_t>(i % law.cells);
  double siemens = law.nominal[digits[i]];
  if (law.varies) {
    const double deviation = law.sigma[digits[i]] * Normal(law, Draw::kVariation, array, cell);
    siemens = law.log_normal ? siemens * exp(deviation) : fmax(0.0, siemens * (1 + deviation));
  }
  if (law.drifts) {
    const double nu = fmax(0.0, law.drift_nu + law.drift_nu_sigma * Normal(law, Draw::kDrift, array, cell));
    siemens *= pow(law.drift_ratio, -nu);
  }
  if (law.stuck_on_rate > 0 || law.stuck_off_rate > 0) {
    const double u = Uniform(law, Draw::kStuck, array, cell);
    if (u < law.stuck_on_rate) {
      siemens = law.g_on;
    } else if (u < law.stuck_on_rate + law.stuck_off_rate) {
      siemens = law.g_off;
    }
  }
  g[i] = siemens;
}

__global__ void PhiloxBlocksKernel(CellLaw law, Draw draw, std::uint32_t array, std::uint64_t first, int count,
                                   std::uint32_t* bits) {
  const int i = blockIdx.x * kThreads + threadIdx.x;
  if (i >= count) return;
  const Bits drawn = Philox(law.key, draw, array, first + i);
  for (int word = 0; word < 4; ++word) bits[4 * i + word] = drawn.words[word];
}

}  // namespace

CellLaw CellLaw::Of(const Hardware& hardware, const ChipRandom& random) {
  CellLaw law;
  law.key[0] = random.key()[0];
  law.key[1] = random.key()[1];
  law.cells = static_cast<std::int64_t>(hardware.rows) * hardware.cols;
  law.varies = hardware.varies();
  law.log_normal = hardware.conductance_distribution == Distribution::kLogNormal;
  law.drifts = hardware.drifts();
  law.drift_nu = hardware.drift_nu;
  law.drift_nu_sigma = hardware.drift_nu_sigma;
  law.drift_ratio = hardware.drift_time_second / hardware.drift_t0_second;
  law.stuck_on_rate = hardware.stuck_on_rate;
  law.stuck_off_rate = hardware.stuck_off_rate;
  law.g_on = hardware.g_on();
  law.g_off = hardware.g_off();
  return law;
}

void ProgramCells(const CellLaw& law, std::uint32_t first_array, int arrays, const std::uint16_t* digits, double* g) {
  const std::int64_t count = law.cells * arrays;
  Launch(ProgramCellsKernel, dim3(Blocks(count, kThreads)), kThreads, 0, law, first_array, count, digits, g);
}

void PhiloxBlocks(const CellLaw& law, Draw draw, std::uint32_t array, std::uint64_t first, int count,
                  std::uint32_t* bits) {
  Launch(PhiloxBlocksKernel, dim3(Blocks(count, kThreads)), kThreads, 0, law, draw, array, first, count, bits);
}

}  // namespace rxnn::cuda
