#include "rxnn_layers/patches.hpp"

#include <functional>
#include <numeric>

namespace rxnn {
namespace {

int Product(const std::vector<int>& values) {
  return std::accumulate(values.begin(), values.end(), 1, std::multiplies<int>());
}

// Coordinates of the index-th element of a row-major array.
std::vector<int> Coordinates(int index, const std::vector<int>& shape) {
  std::vector<int> coordinates(shape.size());
  for (size_t axis = shape.size(); axis-- > 0; index /= shape[axis]) coordinates[axis] = index % shape[axis];
  return coordinates;
}

}  // namespace

PatchGatherer::PatchGatherer(const ConvolutionGeometry& geometry, int channels)
    : geometry_(geometry), positions_(Product(geometry.output)), pitch_(geometry.input.size(), 1) {
  const size_t axes = geometry.input.size();
  for (size_t axis = axes; axis-- > 1;) pitch_[axis - 1] = pitch_[axis] * geometry.input[axis];
  const std::int64_t image_size = Product(geometry.input);
  const int kernel_size = Product(geometry.kernel);
  offsets_.reserve(static_cast<size_t>(channels) * kernel_size);
  for (int channel = 0; channel < channels; ++channel) {
    for (int k = 0; k < kernel_size; ++k) {
      const std::vector<int> at = Coordinates(k, geometry.kernel);
      std::int64_t offset = channel * image_size;
      for (size_t axis = 0; axis < axes; ++axis) {
        const int step = at[axis] * geometry.dilation[axis];
        offset += step * pitch_[axis];
        steps_.push_back(step);
      }
      offsets_.push_back(offset);
    }
  }
}

void PatchGatherer::Gather(const std::int32_t* image, int first, int count, std::int32_t* patches) const {
  const size_t axes = geometry_.input.size();
  const int size = patch_size();
  std::vector<int> start(axes);
  for (int position = first; position < first + count; ++position, patches += size) {
    const std::vector<int> at = Coordinates(position, geometry_.output);
    std::int64_t base = 0;
    bool inside = true;
    for (size_t axis = 0; axis < axes; ++axis) {
      start[axis] = at[axis] * geometry_.stride[axis] - geometry_.pad[axis];
      base += start[axis] * pitch_[axis];
      const int reach = (geometry_.kernel[axis] - 1) * geometry_.dilation[axis];
      inside = inside && start[axis] >= 0 && start[axis] + reach < geometry_.input[axis];
    }
    if (inside) {
      for (int i = 0; i < size; ++i) patches[i] = image[base + offsets_[i]];
      continue;
    }
    for (int i = 0; i < size; ++i) {
      bool padding = false;
      for (size_t axis = 0; axis < axes; ++axis) {
        const int coordinate = start[axis] + steps_[i * axes + axis];
        padding = padding || coordinate < 0 || coordinate >= geometry_.input[axis];
      }
      patches[i] = padding ? 0 : image[base + offsets_[i]];
    }
  }
}

}  // namespace rxnn
