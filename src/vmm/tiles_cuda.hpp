// What the GPU's products read: levels and input codes, cut into tiles and laid out for tensor cores. Plain C++; all
// pointers are to the memory of the device.
#pragma once

#include <cstddef>
#include <cstdint>

namespace rxnn::cuda {

inline constexpr int kTileCols = 64;  // columns of a panel, in eights: what one block reads
inline constexpr int kTileStep = 32;  // rows of a tile are padded with zeros to a multiple of this

// At most kTileCols neighbouring outputs, all of one array.
struct PanelPlace {
  int first = 0;
  int cols = 0;
};

// A layer in tiles of `rows` rows. `levels`: [groups][polarities][slices][inputs][outputs], as CrossbarMatrix holds
// them. A tile has `matrices` matrices that are multiplied one by one: every slice of every polarity; or (analog) the
// differences of twins; or (folded) one,
//   folded_start + sum_slices 2^(cell_bits slice) (level+ - level-).
struct TiledLayer {
  int groups = 0;
  int inputs = 0;
  int outputs = 0;
  int polarities = 0;
  int slices = 0;
  int cell_bits = 0;
  int matrices = 0;
  bool analog = false;
  bool folded = false;
  double folded_start = 0;
  int rows = 0;
  int row_tiles = 0;
  int panels = 0;
  const PanelPlace* places = nullptr;  // [panels]
  const float* levels = nullptr;

  constexpr int padded_rows() const { return (rows + kTileStep - 1) / kTileStep * kTileStep; }
  constexpr std::int64_t tiles() const { return static_cast<std::int64_t>(groups) * row_tiles * panels * matrices; }
  // 32-bit words of one part of one matrix.
  constexpr std::int64_t part_words() const { return static_cast<std::int64_t>(padded_rows()) * kTileCols / 2; }
};

// The most bf16 parts (1 to kMostParts) that any level needs to be there without rounding. `scratch`: one int.
int PartsNeeded(const TiledLayer& layer, int* scratch);

// words [groups][row_tiles][panels][matrices][parts][part_words]: of every matrix its bf16 parts, in the order in which
// the lanes of a warp take them: [column / 8][row / 32][lane][4], the b[0..1] of tensor_core.cuh for rows 0 .. 15 of
// the 32, then for rows 16 .. 31. What is beyond rows and columns is 0.
void PackLevels(const TiledLayer& layer, int parts, std::uint32_t* words);

// Input codes: the magnitudes of positive parts, and of negative ones (pass 1) where `passes` is 2.
struct TiledCodes {
  int vectors = 0;
  int passes = 1;
  const std::uint16_t* codes = nullptr;        // [passes][groups][vectors][row_tiles][padded_rows], 0 beyond the rows
  const std::uint8_t* has_negative = nullptr;  // [vectors]; needed where passes is 2

  static std::size_t Size(const TiledLayer& layer, int passes, int vectors) {
    return static_cast<std::size_t>(passes) * layer.groups * vectors * layer.row_tiles * layer.padded_rows();
  }
};

}  // namespace rxnn::cuda
