#include <cmath>

#include "cuda/device_memory.hpp"
#include "cuda/launch.cuh"
#include "cuda/tensor_core.cuh"
#include "images/vectors_cuda.hpp"

namespace rxnn::cuda {
namespace {

constexpr int kThreads = 256;

// round_half_to_even(clamped x / range * largest_code), as InputCode has it: in double, divided first.
__device__ std::int32_t InputCode(float x, float range, int largest_code) {
  if (range == 0) return 0;
  const float clamped = x < -range ? -range : range < x ? range : x;
  return static_cast<std::int32_t>(rint(static_cast<double>(clamped) / range * largest_code));
}

// A block for every image.
__global__ void FindScalesKernel(const float* images, std::int64_t size, float fixed_range, int largest_code,
                                 ImageScale* scales) {
  RXNN_SHARED(float, found);  // lows, highs, 1 where a value is not finite
  const float* image = images + blockIdx.x * size;
  float low = 0, high = 0, bad = 0;
  for (std::int64_t i = threadIdx.x; i < size; i += kThreads) {
    const float x = image[i];
    low = fminf(low, x);
    high = fmaxf(high, x);
    if ((BitsOf(x) & 0x7F800000u) == 0x7F800000u) bad = 1;
  }
  found[threadIdx.x] = low;
  found[kThreads + threadIdx.x] = high;
  found[2 * kThreads + threadIdx.x] = bad;
  for (int half = kThreads / 2; half > 0; half /= 2) {
    __syncthreads();
    if (static_cast<int>(threadIdx.x) < half) {
      float* mine = found + threadIdx.x;
      mine[0] = fminf(mine[0], mine[half]);
      mine[kThreads] = fmaxf(mine[kThreads], mine[kThreads + half]);
      mine[2 * kThreads] = fmaxf(mine[2 * kThreads], mine[2 * kThreads + half]);
    }
  }
  if (threadIdx.x != 0) return;
  ImageScale scale;
  scale.not_finite = found[2 * kThreads] != 0;
  scale.range = fixed_range > 0 ? fixed_range : fmaxf(found[kThreads], -found[0]);
  scale.has_negative = InputCode(found[0], scale.range, largest_code) < 0;  // codes rise with inputs
  scales[blockIdx.x] = scale;
}

__global__ void EncodeImagesKernel(const float* images, int count, PatchTables tables, const ImageScale* scales,
                                   int largest_code, std::int32_t* planes) {
  const std::int64_t size = tables.channels * tables.channel_size;
  const std::int64_t at = static_cast<std::int64_t>(blockIdx.x) * kThreads + threadIdx.x;
  if (at >= count * size) return;
  const std::int64_t image = at / size;
  const std::int64_t i = at % size;
  const std::int64_t channel = i / tables.channel_size;
  const std::int64_t in_channel = i % tables.channel_size;
  const std::int64_t to = (image * tables.channels + channel) * tables.padded_size +
                          tables.rows[in_channel / tables.row_length] + in_channel % tables.row_length;
  planes[to] = InputCode(images[at], scales[image].range, largest_code);
}

// A block turns 32 vectors (neighbouring patches lie side by side in the planes) by 32 rows (which lie side by side in
// the codes).
constexpr int kSide = 32;
__global__ void GatherCodesKernel(TiledLayer layer, TiledCodes codes, PatchTables tables, const ImageScale* scales,
                                  const std::int32_t* planes, std::uint16_t* to, std::uint8_t* has_negative) {
  RXNN_SHARED(std::int32_t, turned);  // [kSide][kSide + 1]
  const int padded = layer.padded_rows();
  const int row_length = layer.row_tiles * padded;
  const int lane = threadIdx.x % kSide;
  const int line = threadIdx.x / kSide;
  const int group = blockIdx.z;
  const int first_place = blockIdx.y * kSide;
  const int first_vector = blockIdx.x * kSide;
  const int vector = first_vector + lane;
  const std::int64_t image = vector / tables.positions;
  for (int i = line; i < kSide; i += kThreads / kSide) {
    const int place = first_place + i;
    const int in_tile = place % padded;
    const int input = place / padded * layer.rows + in_tile;
    std::int32_t code = 0;
    if (vector < codes.vectors && in_tile < layer.rows && input < layer.inputs) {
      const std::int64_t channel = image * tables.channels + group * (tables.channels / layer.groups);
      code =
          planes[channel * tables.padded_size + tables.positions_at[vector % tables.positions] + tables.patch[input]];
    }
    turned[i * (kSide + 1) + lane] = code;
  }
  if (has_negative != nullptr && group == 0 && blockIdx.y == 0 && line == 0 && vector < codes.vectors) {
    has_negative[vector] = scales[image].has_negative;
  }
  __syncthreads();
  for (int i = line; i < kSide; i += kThreads / kSide) {
    const int to_vector = first_vector + i;
    if (to_vector >= codes.vectors) continue;
    const std::int32_t code = turned[lane * (kSide + 1) + i];
    for (int pass = 0; pass < codes.passes; ++pass) {
      const std::int64_t row = (static_cast<std::int64_t>(pass) * layer.groups + group) * codes.vectors + to_vector;
      const std::int32_t magnitude = pass == 0 ? code : -code;
      to[row * row_length + first_place + lane] = static_cast<std::uint16_t>(magnitude > 0 ? magnitude : 0);
    }
  }
}

__global__ void StoreOutputsKernel(TiledLayer layer, const double* sums, int vectors, int positions,
                                   const float* weight_scales, const ImageScale* scales, double divisor, float* out) {
  RXNN_SHARED(float, turned);  // [kSide][kSide + 1]
  const int lane = threadIdx.x % kSide;
  const int line = threadIdx.x / kSide;
  const int group = blockIdx.z;
  const int first_output = blockIdx.y * kSide;
  const int first_vector = blockIdx.x * kSide;
  for (int i = line; i < kSide; i += kThreads / kSide) {
    const int vector = first_vector + i;
    const int output = first_output + lane;
    if (vector >= vectors || output >= layer.outputs) continue;
    const int n = group * layer.outputs + output;
    const double factor = static_cast<double>(weight_scales[n]) * scales[vector / positions].range / divisor;
    const double sum = sums[(static_cast<std::int64_t>(group) * vectors + vector) * layer.outputs + output];
    turned[i * (kSide + 1) + lane] = static_cast<float>(sum * factor);
  }
  __syncthreads();
  for (int i = line; i < kSide; i += kThreads / kSide) {
    const int vector = first_vector + lane;
    const int output = first_output + i;
    if (vector >= vectors || output >= layer.outputs) continue;
    const std::int64_t plane =
        static_cast<std::int64_t>(vector / positions) * layer.groups * layer.outputs + group * layer.outputs + output;
    out[plane * positions + vector % positions] = turned[lane * (kSide + 1) + i];
  }
}

constexpr std::size_t kTurnBytes = sizeof(float) * kSide * (kSide + 1);

}  // namespace

void FindScales(const float* images, int count, std::int64_t size, float fixed_range, int largest_code,
                ImageScale* scales) {
  Launch(FindScalesKernel, dim3(count), kThreads, 3 * kThreads * sizeof(float), images, size, fixed_range, largest_code,
         scales);
}

void EncodeImages(const float* images, int count, const PatchTables& tables, const ImageScale* scales, int largest_code,
                  std::int32_t* planes) {
  if (tables.padded_size != tables.channel_size) {
    SetZero(planes, sizeof(*planes) * count * tables.channels * tables.padded_size);
  }
  Launch(EncodeImagesKernel, dim3(Blocks(count * tables.channels * tables.channel_size, kThreads)), kThreads, 0, images,
         count, tables, scales, largest_code, planes);
}

void GatherCodes(const TiledLayer& layer, const TiledCodes& codes, const PatchTables& tables, const ImageScale* scales,
                 const std::int32_t* planes) {
  const dim3 grid(Blocks(codes.vectors, kSide), layer.row_tiles * layer.padded_rows() / kSide, layer.groups);
  Launch(GatherCodesKernel, grid, kThreads, kTurnBytes, layer, codes, tables, scales, planes,
         const_cast<std::uint16_t*>(codes.codes), const_cast<std::uint8_t*>(codes.has_negative));
}

void StoreOutputs(const TiledLayer& layer, const double* sums, int images, int positions, const float* weight_scales,
                  const ImageScale* scales, double divisor, float* out) {
  const int vectors = images * positions;
  Launch(StoreOutputsKernel, dim3(Blocks(vectors, kSide), Blocks(layer.outputs, kSide), layer.groups), kThreads,
         kTurnBytes, layer, sums, vectors, positions, weight_scales, scales, divisor, out);
}

}  // namespace rxnn::cuda
