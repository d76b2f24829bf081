#include "images/scratch.hpp"

#include <algorithm>
#include <mutex>
#include <utility>
#include <vector>

namespace rxnn {
namespace {

struct Buffer {
  std::unique_ptr<std::uint8_t[]> bytes;
  std::size_t capacity = 0;
};

struct Pool {
  std::mutex mutex;
  std::vector<Buffer> free;
};

// Never destroyed: a layer that lives as long as the program gives its buffer back at the very end.
Pool& ThePool() {
  static Pool* const pool = new Pool;
  return *pool;
}

}  // namespace

Scratch::Scratch(std::size_t size) {
  Buffer buffer;
  {
    Pool& pool = ThePool();
    const std::lock_guard<std::mutex> lock(pool.mutex);
    const auto largest = std::max_element(pool.free.begin(), pool.free.end(),
                                          [](const Buffer& a, const Buffer& b) { return a.capacity < b.capacity; });
    if (largest != pool.free.end()) {
      buffer = std::move(*largest);
      pool.free.erase(largest);
    }
  }
  if (buffer.capacity < size) {
    buffer.bytes.reset();  // first, so that both are never there
    buffer.bytes.reset(new std::uint8_t[size]);
    buffer.capacity = size;
  }
  bytes_ = std::move(buffer.bytes);
  capacity_ = buffer.capacity;
}

Scratch& Scratch::operator=(Scratch&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  std::swap(capacity_, other.capacity_);
  return *this;
}

Scratch::~Scratch() {
  if (!bytes_) return;
  Pool& pool = ThePool();
  const std::lock_guard<std::mutex> lock(pool.mutex);
  pool.free.push_back({std::move(bytes_), capacity_});
}

}  // namespace rxnn
