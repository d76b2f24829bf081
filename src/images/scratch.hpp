// Memory that one layer after the other uses.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace rxnn {

// `size` bytes, not cleared, from a pool that all threads share: what was given back is taken again before anything is
// allocated. The pool keeps the largest buffers, as many as were in use at the same time.
class Scratch {
 public:
  Scratch() = default;
  explicit Scratch(std::size_t size);
  ~Scratch();
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  Scratch(Scratch&& other) noexcept = default;
  Scratch& operator=(Scratch&& other) noexcept;

  std::uint8_t* data() const { return bytes_.get(); }

 private:
  std::unique_ptr<std::uint8_t[]> bytes_;
  std::size_t capacity_ = 0;
};

}  // namespace rxnn
