// The geometry of a convolution as tables on the device.
#pragma once

#include <cstdint>

#include "cuda/device_memory.hpp"
#include "images/vectors_cuda.hpp"
#include "rxnn/convolution.hpp"

namespace rxnn::cuda {

class Patches {
 public:
  // `channels`: of one group. Without axes an image is a vector of as many values, with one patch.
  Patches(const ConvolutionGeometry& geometry, int groups, int channels);

  PatchTables tables() const;
  int patch_size() const { return static_cast<int>(patch_.size()); }
  std::int64_t image_size() const { return tables_.channels * tables_.channel_size; }
  std::int64_t plane_size() const { return tables_.channels * tables_.padded_size; }
  bool same_geometry(const ConvolutionGeometry& other) const;

 private:
  ConvolutionGeometry geometry_;
  PatchTables tables_;
  DeviceArray<std::int64_t> rows_, positions_, patch_;
};

}  // namespace rxnn::cuda
