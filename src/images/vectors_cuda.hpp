// Images or vectors to the codes that a GPU's products read: quantise, gather patches, pack. Plain C++; pointers of the
// structs are to the memory of the device.
#pragma once

#include <cstdint>

#include "vmm/tiles_cuda.hpp"

namespace rxnn::cuda {

// How patches lie in images that stand in memory with their padding.
struct PatchTables {
  int channels = 0;                            // of all groups
  std::int64_t channel_size = 0;               // values of one channel
  std::int64_t padded_size = 0;                // the same with its padding
  int row_length = 0;                          // values of one row of a channel
  int positions = 0;                           // patches of an image
  const std::int64_t* rows = nullptr;          // [channel_size / row_length]: where rows begin in a padded channel
  const std::int64_t* positions_at = nullptr;  // [positions]: where patches begin
  const std::int64_t* patch = nullptr;         // [inputs]: the rows of a patch, from its beginning
};

// What QuantizeInputs finds of an image.
struct ImageScale {
  float range = 0;
  std::uint8_t has_negative = 0;
  std::uint8_t not_finite = 0;  // some value is not finite: nothing else holds
};

// scales[image] of `count` images of `size` values; `fixed_range` 0: the largest magnitude of each.
void FindScales(const float* images, int count, std::int64_t size, float fixed_range, int largest_code,
                ImageScale* scales);

// planes [count][channels][padded_size]: the signed codes of QuantizeInputs, to the bit, 0 in the padding.
void EncodeImages(const float* images, int count, const PatchTables& tables, const ImageScale* scales, int largest_code,
                  std::int32_t* planes);

// codes and has_negative of TiledCodes for `passes` passes, from planes of codes. codes.codes and codes.has_negative
// are written: they are the caller's.
void GatherCodes(const TiledLayer& layer, const TiledCodes& codes, const PatchTables& tables, const ImageScale* scales,
                 const std::int32_t* planes);

// out[image][group * outputs + n][position] = float(sum * factor), factor = float weight scale * range / divisor in
// double: what CrossbarMatrix::OutputScale gives.
void StoreOutputs(const TiledLayer& layer, const double* sums, int images, int positions, const float* weight_scales,
                  const ImageScale* scales, double divisor, float* out);

}  // namespace rxnn::cuda
