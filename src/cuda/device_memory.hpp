// Arrays in the memory of a GPU. Plain C++: no CUDA type.
#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace rxnn::cuda {

// `bytes` on the current device, 256-byte aligned; throws std::bad_alloc where there is no room.
void* Allocate(std::size_t bytes);
void Free(void* memory) noexcept;
// Copies; they wait for the work that was started before, and are done when they return.
void ToDevice(void* to, const void* from, std::size_t bytes);
void ToHost(void* to, const void* from, std::size_t bytes);
void SetZero(void* memory, std::size_t bytes);
// Waits for all work on the device; throws std::runtime_error for what went wrong in it.
void Synchronize();

// The current device.
struct DeviceFacts {
  std::string name;
  int processors = 0;            // streaming multiprocessors
  std::size_t shared_bytes = 0;  // most shared memory of one block
};
DeviceFacts Facts();
// Devices that can run these kernels; `why_none`, if given, is told why there is none.
int CountDevices(std::string* why_none = nullptr);

// `size` elements on the device, not cleared.
template <typename T>
class DeviceArray {
 public:
  DeviceArray() = default;
  explicit DeviceArray(std::size_t size)
      : data_(size == 0 ? nullptr : static_cast<T*>(Allocate(size * sizeof(T)))), size_(size) {}
  explicit DeviceArray(const std::vector<T>& values) : DeviceArray(values.size()) { Take(values.data()); }
  ~DeviceArray() { Free(data_); }
  DeviceArray(DeviceArray&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}
  DeviceArray& operator=(DeviceArray&& other) noexcept {
    if (this != &other) {
      Free(data_);
      data_ = std::exchange(other.data_, nullptr);
      size_ = std::exchange(other.size_, 0);
    }
    return *this;
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  // At least `size` elements, what was there lost: memory that one call after the other uses.
  void Reserve(std::size_t size) {
    if (size <= size_) return;
    *this = DeviceArray();  // given back before another is taken
    *this = DeviceArray(size);
  }
  void Take(const T* values) {
    if (size_ > 0) ToDevice(data_, values, size_ * sizeof(T));
  }
  void Give(T* values) const {
    if (size_ > 0) ToHost(values, data_, size_ * sizeof(T));
  }
  std::vector<T> Values() const {
    std::vector<T> values(size_);
    Give(values.data());
    return values;
  }
  void Clear() {
    if (size_ > 0) SetZero(data_, size_ * sizeof(T));
  }

 private:
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace rxnn::cuda
