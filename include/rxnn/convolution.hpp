// A convolution's images as input vectors, and its sums as planes of channels.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/input_vectors.hpp"

namespace rxnn {

// Geometry of a convolution over any number of spatial axes; all vectors have one entry per axis.
struct ConvolutionGeometry {
  std::vector<int> input;   // spatial dimensions of the image
  std::vector<int> output;  // spatial dimensions of the result
  std::vector<int> kernel;
  std::vector<int> stride;
  std::vector<int> pad;
  std::vector<int> dilation;
};

// The patches of some images: vector number image * positions() + position, positions in row-major order. Rows of a
// weight matrix are ordered (channel, kernel position), as Caffe's weights are. The images stand in memory as the bytes
// of their codes, with their padding; patches are gathered as they are asked for.
class ConvolutionVectors : public InputVectors {
 public:
  // `channels`: of one group. `together`: groups that share arrays (GroupPacks), whose patches are one above the other
  // in a vector; rows of groups that the last pack lacks are 0.
  ConvolutionVectors(const Hardware& hardware, const ConvolutionGeometry& geometry, int groups, int channels,
                     int together = 1);
  ~ConvolutionVectors() override;

  int positions() const { return positions_; }
  int patch_size() const { return static_cast<int>(patch_offsets_.size()); }
  // Bytes that the codes of one image take at most.
  std::int64_t image_bytes() const;

  // Takes `count` images (groups * channels channels each, as Caffe's blobs), each on its own scale, on all cores.
  // Throws std::invalid_argument for an input that is not finite.
  void Encode(const float* images, int count);

  int count() const override { return static_cast<int>(scales_.size()) * positions_; }
  InputScale scale(int vector) const override { return scales_[vector / positions_]; }
  Rows Load(const Piece& piece, std::vector<std::uint8_t>* buffer) const override;

 private:
  struct Memory;  // the planes: [image][pass][byte][channel][padded_size_]

  // Ranges of all images, to scales_.
  void FindScales(const float* images, int count);
  // Codes some neighbouring channels of one image.
  void EncodeChannels(const float* values, int image, int first_channel, int count, std::vector<std::uint8_t>* buffer);
  std::uint8_t* Plane(int image, int pass, int byte) const;

  const Hardware hardware_;
  const ConvolutionGeometry geometry_;
  const int channels_;  // of all groups
  const int pack_channels_;
  const int bytes_;  // of a code
  int positions_ = 1;
  int passes_ = 1;
  std::int64_t channel_size_ = 1;  // values of one channel
  std::int64_t padded_size_ = 1;   // of one channel with its padding
  bool is_padded_ = false;
  int row_length_ = 1;                         // along the last axis: of the image,
  int out_row_length_ = 1;                     // of the result,
  int step_ = 1;                               // and the distance of neighbouring positions
  std::vector<std::int64_t> row_offsets_;      // of the rows of a channel in its padded plane
  std::vector<std::int64_t> out_row_offsets_;  // of the first patch of every row of the result
  std::vector<std::int64_t> patch_offsets_;    // of every row of a patch from the patch's first
  std::vector<InputScale> scales_;             // of every image
  std::unique_ptr<Memory> memory_;
};

// What becomes of the sums of an output: y = float(sum * factor) + bias, times negative_slope where it is below 0 (ReLU
// with that slope; 1 leaves it).
struct PlaneMap {
  const double* factors = nullptr;
  const float* bias = nullptr;  // none where null
  float negative_slope = 1;
};

// out[n][v] = y of sums[v][n] for the vectors and outputs of a block. Row n starts at out + n * out_stride.
void StorePlanes(const double* sums, std::int64_t stride, int vectors, int outputs, const PlaneMap& map, float* out,
                 std::int64_t out_stride);

}  // namespace rxnn
