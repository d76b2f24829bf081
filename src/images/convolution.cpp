#include "rxnn/convolution.hpp"

#include <algorithm>
#include <cstring>

#include "crossbar/parallel.hpp"
#include "images/images_cpu.hpp"
#include "images/offsets.hpp"
#include "images/scratch.hpp"
#include "mapping/encode.hpp"

namespace rxnn {
namespace {

// Values that a thread codes at a time, about.
constexpr std::int64_t kChunkValues = 1 << 15;
constexpr int kLines = 16;  // that are turned at a time

std::int64_t RoundUp(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }

}  // namespace

struct ConvolutionVectors::Memory {
  Scratch planes;
};

ConvolutionVectors::ConvolutionVectors(const Hardware& hardware, const ConvolutionGeometry& geometry, int groups,
                                       int channels, int together)
    : hardware_(hardware),
      geometry_(geometry),
      channels_(groups * channels),
      pack_channels_(together * channels),
      bytes_(hardware.input_bits > 8 ? 2 : 1),
      positions_(static_cast<int>(Product(geometry.output))),
      channel_size_(Product(geometry.input)),
      memory_(std::make_unique<Memory>()) {
  const std::size_t axes = geometry.input.size();
  std::vector<std::int64_t> pitch(axes);  // distance of neighbours along each axis, with padding
  for (std::size_t axis = axes; axis-- > 0;) {
    pitch[axis] = padded_size_;
    padded_size_ *= geometry.input[axis] + 2 * geometry.pad[axis];
    is_padded_ = is_padded_ || geometry.pad[axis] > 0;
  }
  const std::vector<int> zeros(axes, 0), ones(axes, 1);
  row_offsets_ = Offsets(Outer(geometry.input), geometry.pad, ones, pitch);
  out_row_offsets_ = Offsets(Outer(geometry.output), zeros, geometry.stride, pitch);
  if (axes > 0) {
    row_length_ = geometry.input.back();
    out_row_length_ = geometry.output.back();
    step_ = geometry.stride.back();
    for (std::int64_t& offset : row_offsets_) offset += geometry.pad.back();
  }
  const std::vector<std::int64_t> of_channel = Offsets(geometry.kernel, zeros, geometry.dilation, pitch);
  for (int channel = 0; channel < pack_channels_; ++channel) {
    for (const std::int64_t offset : of_channel) patch_offsets_.push_back(channel * padded_size_ + offset);
  }
}

ConvolutionVectors::~ConvolutionVectors() = default;

std::int64_t ConvolutionVectors::image_bytes() const { return 2 * bytes_ * channels_ * padded_size_; }

std::uint8_t* ConvolutionVectors::Plane(int image, int pass, int byte) const {
  const std::int64_t plane = (static_cast<std::int64_t>(image) * passes_ + pass) * bytes_ + byte;
  return memory_->planes.data() + plane * channels_ * padded_size_;
}

void ConvolutionVectors::FindScales(const float* images, int count) {
  const std::int64_t size = channels_ * channel_size_;
  const std::int64_t chunks = (size + kChunkValues - 1) / kChunkValues;
  std::vector<InputRange> ranges(count * chunks);
  ParallelWork(static_cast<std::int64_t>(ranges.size()), [&] {
    return [&](std::int64_t i) {
      const std::int64_t first = i % chunks * kChunkValues;
      ranges[i] = FindRange(images + i / chunks * size, first, std::min(first + kChunkValues, size));
    };
  });
  scales_.resize(count);
  for (int image = 0; image < count; ++image) {
    InputRange range;
    for (std::int64_t c = image * chunks; c < (image + 1) * chunks; ++c) {
      range.low = std::min(range.low, ranges[c].low);
      range.high = std::max(range.high, ranges[c].high);
    }
    scales_[image] = ScaleOf(hardware_, range);
  }
}

void ConvolutionVectors::Encode(const float* images, int count) {
  FindScales(images, count);
  const bool has_negative =
      std::any_of(scales_.begin(), scales_.end(), [](const InputScale& scale) { return scale.has_negative; });
  passes_ = has_negative ? 2 : 1;
  memory_->planes = Scratch();  // given back before another is taken
  memory_->planes = Scratch(static_cast<std::size_t>(count) * passes_ * bytes_ * channels_ * padded_size_ + kOverrun);

  const int together = static_cast<int>(std::clamp<std::int64_t>(kChunkValues / channel_size_, 1, channels_));
  const std::int64_t chunks = (channels_ + together - 1) / together;
  ParallelWork(count * chunks, [&] {
    return [&, buffer = std::vector<std::uint8_t>()](std::int64_t i) mutable {
      const int image = static_cast<int>(i / chunks);
      const int channel = static_cast<int>(i % chunks) * together;
      EncodeChannels(images + (static_cast<std::int64_t>(image) * channels_ + channel) * channel_size_, image, channel,
                     std::min(together, channels_ - channel), &buffer);
    };
  });
}

void ConvolutionVectors::EncodeChannels(const float* values, int image, int first_channel, int count,
                                        std::vector<std::uint8_t>* buffer) {
  const InputScale& scale = scales_[image];
  const int passes = scale.has_negative ? 2 : 1;
  const std::int64_t size = count * channel_size_;
  CodePlanes planes;
  buffer->resize(is_padded_ ? passes * bytes_ * size : 0);
  for (int plane = 0; plane < passes * bytes_; ++plane) {
    const int pass = plane / bytes_;
    const int byte = plane % bytes_;
    planes.bytes[pass][byte] =
        is_padded_ ? buffer->data() + plane * size : Plane(image, pass, byte) + first_channel * channel_size_;
  }
  EncodeInputs(hardware_, values, size, scale, planes);
  if (!is_padded_) return;
  for (int plane = 0; plane < passes * bytes_; ++plane) {
    const std::uint8_t* from = buffer->data() + plane * size;
    std::uint8_t* to = Plane(image, plane / bytes_, plane % bytes_) + first_channel * padded_size_;
    std::memset(to, 0, static_cast<std::size_t>(count) * padded_size_);
    for (int channel = 0; channel < count; ++channel, to += padded_size_) {
      for (const std::int64_t offset : row_offsets_) {
        std::memcpy(to + offset, from, row_length_);
        from += row_length_;
      }
    }
  }
}

InputVectors::Rows ConvolutionVectors::Load(const Piece& piece, std::vector<std::uint8_t>* buffer) const {
  // Positions side by side in memory, over the ends of rows where these touch.
  std::vector<ByteRun> runs;
  const std::int64_t image_size = static_cast<std::int64_t>(passes_) * bytes_ * channels_ * padded_size_;
  const std::int64_t plane = (static_cast<std::int64_t>(piece.pass) * bytes_ + piece.byte) * channels_ +
                             static_cast<std::int64_t>(piece.group) * pack_channels_;
  // Rows that the image has channels for.
  const std::int64_t channels = std::min(pack_channels_, channels_ - piece.group * pack_channels_);
  const std::int64_t last_row = channels * patch_size() / pack_channels_;
  for (int v = 0; v < piece.vectors;) {
    const int image = (piece.first_vector + v) / positions_;
    const int position = (piece.first_vector + v) % positions_;
    const int x = position % out_row_length_;
    const std::int32_t length = std::min(out_row_length_ - x, piece.vectors - v);
    const std::int64_t from = image * image_size + plane * padded_size_ + out_row_offsets_[position / out_row_length_] +
                              static_cast<std::int64_t>(x) * step_;
    if (!runs.empty() && step_ == 1 && runs.back().from + runs.back().length == from) {
      runs.back().length += length;
    } else {
      runs.push_back({from, v, length});
    }
    v += length;
  }

  const std::int64_t vectors = RoundUp(piece.vectors, kLines);
  const std::int64_t stride = RoundUp(piece.rows, kLines);
  const std::int64_t line_length = vectors + kOverrun;
  buffer->resize(vectors * stride + kPad + (kLines + 1) * line_length);
  std::uint8_t* lines = buffer->data() + vectors * stride + kPad;
  std::uint8_t* zeros = lines + kLines * line_length;
  std::memset(zeros, 0, line_length);
  const std::uint8_t* bytes = memory_->planes.data();
  for (int row = 0; row < piece.rows; row += kLines) {
    const std::uint8_t* line[kLines];
    for (int i = 0; i < kLines; ++i) {
      if (row + i >= piece.rows || piece.first_row + row + i >= last_row) {
        line[i] = zeros;
        continue;
      }
      const std::uint8_t* from = bytes + patch_offsets_[piece.first_row + row + i];
      if (runs.size() == 1 && step_ == 1) {
        line[i] = from + runs[0].from;
      } else {
        GatherLineCpu(from, runs.data(), static_cast<std::int64_t>(runs.size()), step_, lines + i * line_length);
        line[i] = lines + i * line_length;
      }
    }
    TransposeLinesCpu(line, vectors, buffer->data() + row, stride);
  }
  return {buffer->data(), stride};
}

void StorePlanes(const double* sums, std::int64_t stride, int vectors, int outputs, const PlaneMap& map, float* out,
                 std::int64_t out_stride) {
  StorePlanesCpu(sums, stride, vectors, outputs, map, out, out_stride);
}

}  // namespace rxnn
