#include <algorithm>

#include "crossbar/parallel.hpp"
#include "mapping/encode.hpp"
#include "rxnn/input_vectors.hpp"

namespace rxnn {

CodedVectors::CodedVectors(const Hardware& hardware, int count, int inputs)
    : count_(count),
      inputs_(inputs),
      bytes_(hardware.input_bits > 8 ? 2 : 1),
      plane_size_(static_cast<std::size_t>(count) * inputs),
      scales_(count) {}

CodedVectors::CodedVectors(const Hardware& hardware, const float* x, int count, int inputs)
    : CodedVectors(hardware, count, inputs) {
  ParallelWork(count, [&] {
    return [&](std::int64_t v) { scales_[v] = ScaleOf(hardware, FindRange(x + v * inputs, 0, inputs)); };
  });
  MakePlanes();
  ParallelWork(count, [&] {
    return [&](std::int64_t v) {
      EncodeInputs(hardware, x + v * inputs, inputs, scales_[v], PlanesOf(v, scales_[v].has_negative));
    };
  });
}

CodedVectors::CodedVectors(const Hardware& hardware, const std::int32_t* codes, int count, int inputs,
                           bool has_negative)
    : CodedVectors(hardware, count, inputs) {
  std::fill(scales_.begin(), scales_.end(), InputScale{1, has_negative});
  MakePlanes();
  // Planes hold vector after vector: what lies side by side may be split together.
  const int together = std::max(1, (1 << 15) / inputs);
  ParallelWork((count + together - 1) / together, [&] {
    return [&](std::int64_t i) {
      const std::int64_t v = i * together;
      const std::int64_t size = std::min<std::int64_t>(together, count - v) * inputs;
      SplitCodes(codes + v * inputs, size, has_negative, PlanesOf(v, has_negative));
    };
  });
}

void CodedVectors::MakePlanes() {
  const bool has_negative =
      std::any_of(scales_.begin(), scales_.end(), [](const InputScale& scale) { return scale.has_negative; });
  planes_.reset(new std::uint8_t[plane_size_ * bytes_ * (has_negative ? 2 : 1) + kPad]);
}

CodePlanes CodedVectors::PlanesOf(std::int64_t vector, bool has_negative) {
  CodePlanes planes;
  for (int pass = 0; pass < (has_negative ? 2 : 1); ++pass) {
    for (int byte = 0; byte < bytes_; ++byte) {
      planes.bytes[pass][byte] = planes_.get() + (pass * bytes_ + byte) * plane_size_ + vector * inputs_;
    }
  }
  return planes;
}

InputVectors::Rows CodedVectors::Load(const Piece& piece, std::vector<std::uint8_t>*) const {
  const std::size_t plane = static_cast<std::size_t>(piece.pass * bytes_ + piece.byte) * plane_size_;
  const std::size_t offset = static_cast<std::size_t>(piece.first_vector) * inputs_ + piece.first_row;
  return {planes_.get() + plane + offset, inputs_};
}

}  // namespace rxnn
