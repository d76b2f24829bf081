#include "gpu/patches.hpp"

#include <cstddef>
#include <vector>

#include "images/offsets.hpp"

namespace rxnn::cuda {

Patches::Patches(const ConvolutionGeometry& geometry, int groups, int channels) : geometry_(geometry) {
  const std::size_t axes = geometry.input.size();
  tables_.channels = groups * channels;
  tables_.channel_size = Product(geometry.input);
  tables_.positions = static_cast<int>(Product(geometry.output));
  tables_.row_length = axes == 0 ? 1 : geometry.input.back();
  tables_.padded_size = 1;
  std::vector<std::int64_t> pitch(axes);  // distance of neighbours along each axis, with padding
  for (std::size_t axis = axes; axis-- > 0;) {
    pitch[axis] = tables_.padded_size;
    tables_.padded_size *= geometry.input[axis] + 2 * geometry.pad[axis];
  }
  const std::vector<int> zeros(axes, 0), ones(axes, 1);
  std::vector<std::int64_t> rows = Offsets(Outer(geometry.input), geometry.pad, ones, pitch);
  if (axes > 0) {
    for (std::int64_t& offset : rows) offset += geometry.pad.back();
  }
  std::vector<std::int64_t> patch;
  const std::vector<std::int64_t> of_channel = Offsets(geometry.kernel, zeros, geometry.dilation, pitch);
  for (int channel = 0; channel < channels; ++channel) {
    for (const std::int64_t offset : of_channel) patch.push_back(channel * tables_.padded_size + offset);
  }
  rows_ = DeviceArray<std::int64_t>(rows);
  positions_ = DeviceArray<std::int64_t>(Offsets(geometry.output, zeros, geometry.stride, pitch));
  patch_ = DeviceArray<std::int64_t>(patch);
}

PatchTables Patches::tables() const {
  PatchTables tables = tables_;
  tables.rows = rows_.data();
  tables.positions_at = positions_.data();
  tables.patch = patch_.data();
  return tables;
}

bool Patches::same_geometry(const ConvolutionGeometry& other) const {
  return geometry_.input == other.input && geometry_.output == other.output && geometry_.kernel == other.kernel &&
         geometry_.stride == other.stride && geometry_.pad == other.pad && geometry_.dilation == other.dilation;
}

}  // namespace rxnn::cuda
