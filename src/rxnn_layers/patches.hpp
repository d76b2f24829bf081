// The input vectors of a convolution: for a range of output positions, the codes under the kernel.
#pragma once

#include <cstdint>
#include <vector>

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

// Gathers patches of `channels` consecutive channels. Rows of a weight matrix are ordered (channel, kernel position),
// as Caffe's weights are.
class PatchGatherer {
 public:
  PatchGatherer(const ConvolutionGeometry& geometry, int channels);

  int patch_size() const { return static_cast<int>(offsets_.size()); }
  int positions() const { return positions_; }

  // `image` points at the first of the channels. Writes patches (count x patch_size, row-major) of the output positions
  // first .. first + count - 1; padding reads as 0.
  void Gather(const std::int32_t* image, int first, int count, std::int32_t* patches) const;

 private:
  ConvolutionGeometry geometry_;
  int positions_;
  std::vector<std::int64_t> offsets_;  // of every patch entry from the patch's first, within the image
  std::vector<int> steps_;             // of every patch entry along each axis: patch_size x axes
  std::vector<std::int64_t> pitch_;    // distance of neighbours along each axis
};

}  // namespace rxnn
