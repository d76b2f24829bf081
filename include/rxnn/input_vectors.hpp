// Where a product's input vectors come from, piece by piece: the codes of a whole batch never stand in memory as
// vectors.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "rxnn/mapping.hpp"

namespace rxnn {

struct CodePlanes;  // src/mapping/encode.hpp

// `count` input vectors for each of a matrix's groups, as magnitudes of codes in bytes. Called from many threads.
class InputVectors {
 public:
  // Some rows of some neighbouring vectors of one group: one byte of the magnitudes of their positive parts (pass 0),
  // or of their negative ones (pass 1). Byte 0 is the low one; byte 1 is asked for where codes have more than 8 bits.
  struct Piece {
    int group = 0;
    int first_vector = 0;
    int vectors = 0;
    int first_row = 0;
    int rows = 0;
    int pass = 0;
    int byte = 0;
  };
  // Vector v has its rows at data + v * stride. Whatever follows them, kPad bytes can be read where one may be.
  struct Rows {
    const std::uint8_t* data = nullptr;
    std::int64_t stride = 0;
  };
  static constexpr int kPad = 64;

  virtual ~InputVectors() = default;

  virtual int count() const = 0;
  // Range and sign of one vector. Pass 1 is asked for only of vectors that have negative parts.
  virtual InputScale scale(int vector) const = 0;
  // Points into the vectors themselves, or into `buffer` after filling it.
  virtual Rows Load(const Piece& piece, std::vector<std::uint8_t>* buffer) const = 0;
};

// Vectors of `inputs` values that follow each other in memory, for a matrix of one group.
class CodedVectors : public InputVectors {
 public:
  // Each of the `count` vectors at x on its own scale, coded as QuantizeInputs does it; on all cores.
  CodedVectors(const Hardware& hardware, const float* x, int count, int inputs);
  // From codes: all on one scale of range 1. Without `has_negative` every code must be >= 0.
  CodedVectors(const Hardware& hardware, const std::int32_t* codes, int count, int inputs, bool has_negative);

  int count() const override { return count_; }
  InputScale scale(int vector) const override { return scales_[vector]; }
  Rows Load(const Piece& piece, std::vector<std::uint8_t>* buffer) const override;

 private:
  CodedVectors(const Hardware& hardware, int count, int inputs);
  // Once the scales are there.
  void MakePlanes();
  CodePlanes PlanesOf(std::int64_t vector, bool has_negative);

  int count_;
  int inputs_;
  int bytes_;  // of a code
  std::size_t plane_size_;
  std::vector<InputScale> scales_;
  std::unique_ptr<std::uint8_t[]> planes_;  // [pass][byte][vector][inputs]
};

}  // namespace rxnn
