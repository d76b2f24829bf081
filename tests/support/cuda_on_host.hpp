// Runs CUDA kernels on the host, for tests: .cu files are compiled as C++ with this file included first. Blocks run one
// after the other, the threads of a block as fibers that take turns where they wait for each other, so that what a
// kernel computes, indexes and waits for is the same text as on a GPU. What it cannot show: time, memory models, and
// rounding within tensor cores.
//
// Memory of the device is out of reach but in kernels and copies: who follows a device pointer on the host is ended by
// a signal, as he would be beside a GPU. RXNN_EMULATED_GPUS says how many devices there are (1): each has memory of its
// own, which kernels on the others do not reach. One thread at a time is on any of them.
//
// To find missing barriers, threads and warps run in rising order in one phase between barriers and in falling order
// in the next; shared memory starts as NaN in every block; copies beside the work happen at once in one block and when
// they are waited for in the next. Barriers that only some threads reach are an error.
#pragma once

#include <setjmp.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <vector>

#define RXNN_CUDA_ON_HOST
#define __global__
#define __device__
#define __host__
#define __launch_bounds__(...)
#define __forceinline__ inline
#define __restrict__

struct dim3 {
  unsigned x = 1, y = 1, z = 1;
  dim3(unsigned x = 1, unsigned y = 1, unsigned z = 1) : x(x), y(y), z(z) {}
};
struct uint4 {
  std::uint32_t x, y, z, w;
};
inline dim3 threadIdx, blockIdx, blockDim, gridDim;

#if defined(__SANITIZE_ADDRESS__)
#define RXNN_SWITCH_CONTEXTS
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define RXNN_SWITCH_CONTEXTS
#endif
#endif

namespace cuda_on_host {

constexpr unsigned kWarp = 32;
constexpr std::size_t kStackBytes = 64 * 1024;
constexpr std::size_t kSharedBytes = 227 * 1024;

enum class Waits { kNothing, kWarp, kBlock, kDone };

struct Copy {
  void* to;
  const void* from;
  int group;
};

// What the lanes of a warp show each other: kept for two meetings, so that one barrier for each is enough.
struct Shown {
  std::uint32_t a[4], b[2];
  double value;
};

// A place to go on at. Contexts save signal masks by a system call: after its start a fiber is switched by jumps, but
// for AddressSanitizer, which follows contexts only.
struct Place {
  ucontext_t context;
  jmp_buf jump;
  bool started = false;
};

struct Fiber {
  Place place;
  std::unique_ptr<char[]> stack{new char[kStackBytes]};
  Waits waits = Waits::kNothing;
  int meetings = 0;
  Shown shown[2];
  std::deque<Copy> copies;
  int group = 0;
};

struct Block {
  std::vector<Fiber> fibers;
  unsigned current = 0;
  Place scheduler;
  std::function<void()> kernel;
  bool copies_early = false;
  alignas(16) unsigned char shared[kSharedBytes];
};
inline Block block;

inline Fiber& Me() { return block.fibers[block.current]; }
inline Fiber& Lane(unsigned lane) { return block.fibers[block.current / kWarp * kWarp + lane]; }

// Not inlined, so that nothing of the caller is in registers.
__attribute__((noinline)) inline void Switch(Place* from, Place* to) {
#ifdef RXNN_SWITCH_CONTEXTS
  swapcontext(&from->context, &to->context);
#else
  if (_setjmp(from->jump) != 0) return;
  if (to->started) _longjmp(to->jump, 1);
  to->started = true;
  setcontext(&to->context);
#endif
}

inline void Wait(Waits waits) {
  Fiber& me = Me();
  me.waits = waits;
  Switch(&me.place, &block.scheduler);
}

inline void Begin() {
  block.kernel();
  Wait(Waits::kDone);
}

inline void Resume(unsigned thread) {
  block.current = thread;
  threadIdx.x = thread;
  block.fibers[thread].waits = Waits::kNothing;
  Switch(&block.scheduler, &block.fibers[thread].place);
}

// Runs the threads first .. last - 1 of a warp until all wait for the block or are done.
inline void RunWarp(unsigned first, unsigned last, bool falling) {
  const auto count = [&](Waits waits) {
    return std::count_if(block.fibers.begin() + first, block.fibers.begin() + last,
                         [&](const Fiber& fiber) { return fiber.waits == waits; });
  };
  do {
    for (unsigned i = 0; i < last - first; ++i) {
      const unsigned thread = falling ? last - 1 - i : first + i;
      if (block.fibers[thread].waits != Waits::kDone) Resume(thread);
    }
    if (count(Waits::kWarp) != 0 && count(Waits::kWarp) != last - first) {
      throw std::logic_error("some lanes of a warp are at a collective instruction and others are not");
    }
  } while (count(Waits::kWarp) != 0);
}

inline void RunBlock(unsigned threads) {
  std::memset(block.shared, 0xFF, kSharedBytes);
  block.scheduler.started = true;
  block.copies_early = !block.copies_early;
  block.fibers.resize(std::max<std::size_t>(block.fibers.size(), threads));
  for (unsigned i = 0; i < threads; ++i) {
    Fiber& fiber = block.fibers[i];
    fiber.waits = Waits::kNothing;
    fiber.copies.clear();
    fiber.place.started = false;
    ucontext_t& context = fiber.place.context;
    getcontext(&context);
    context.uc_stack.ss_sp = fiber.stack.get();
    context.uc_stack.ss_size = kStackBytes;
    context.uc_link = nullptr;
    makecontext(&context, Begin, 0);
  }
  const unsigned warps = (threads + kWarp - 1) / kWarp;
  for (bool falling = false;; falling = !falling) {
    for (unsigned i = 0; i < warps; ++i) {
      const unsigned warp = falling ? warps - 1 - i : i;
      RunWarp(warp * kWarp, std::min(threads, (warp + 1) * kWarp), falling);
    }
    const auto done = std::count_if(block.fibers.begin(), block.fibers.begin() + threads,
                                    [](const Fiber& fiber) { return fiber.waits == Waits::kDone; });
    if (done == threads) return;
    if (done != 0) throw std::logic_error("some threads of a block are at a barrier and others are done");
  }
}

// Meets the warp; returns which of the two places in `shown` to look at.
template <typename Show>
int Meet(const Show& show) {
  Fiber& me = Me();
  const int place = me.meetings++ % 2;
  show(&me.shown[place]);
  Wait(Waits::kWarp);
  return place;
}

// An address range with a page table of its own. Freed memory is used again for what has the same size.
class Device {
 public:
  void* Allocate(std::size_t bytes) {
    bytes = (bytes + kUnit) / kUnit * kUnit;
    std::vector<char*>& freed = freed_[bytes];
    char* memory = nullptr;
    if (!freed.empty()) {
      memory = freed.back();
      freed.pop_back();
    } else {
      if (base_ == nullptr) {
        void* range = mmap(nullptr, kBytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        if (range == MAP_FAILED) throw std::logic_error("no address range for the device's memory");
        base_ = static_cast<char*>(range);
      }
      if (used_ + bytes > kBytes) return nullptr;
      memory = base_ + used_;
      used_ += bytes;
    }
    sizes_[memory] = bytes;
    return memory;
  }
  void Free(void* memory) {
    const auto found = sizes_.find(static_cast<char*>(memory));
    if (found == sizes_.end()) throw std::logic_error("memory is freed that the device does not have");
    freed_[found->second].push_back(found->first);
    sizes_.erase(found);
  }
  bool Has(const void* memory) const {
    return base_ != nullptr && memory >= base_ && memory < static_cast<const void*>(base_ + kBytes);
  }
  void Enter() {
    if (inside_++ == 0) Protect(PROT_READ | PROT_WRITE);
  }
  void Leave() {
    if (--inside_ == 0) Protect(PROT_NONE);
  }
  static std::size_t bytes() { return kBytes; }

 private:
  static constexpr std::size_t kUnit = 4096, kBytes = std::size_t{1} << 34;
  void Protect(int protection) {
    if (used_ > 0 && mprotect(base_, used_, protection) != 0) throw std::logic_error("mprotect of the device's memory");
  }
  char* base_ = nullptr;
  std::size_t used_ = 0;
  int inside_ = 0;
  std::map<char*, std::size_t> sizes_;
  std::map<std::size_t, std::vector<char*>> freed_;
};

constexpr int kMostDevices = 8;
// Not destroyed: objects of static life free memory.
inline Device* const devices = new Device[kMostDevices];
inline int CountDevices() {
  static const int count = [] {
    const char* text = std::getenv("RXNN_EMULATED_GPUS");
    return text == nullptr ? 1 : std::clamp(std::atoi(text), 0, kMostDevices);
  }();
  return count;
}
inline thread_local int current_device = 0;
// Whose turn it is to look at devices and run kernels.
inline std::recursive_mutex& turn = *new std::recursive_mutex;

// While it lives, pointers to the current device can be followed.
class OnDevice {
 public:
  explicit OnDevice(int device = current_device) : turn_(turn), device_(devices[device]) { device_.Enter(); }
  ~OnDevice() { device_.Leave(); }
  OnDevice(const OnDevice&) = delete;
  OnDevice& operator=(const OnDevice&) = delete;

 private:
  const std::lock_guard<std::recursive_mutex> turn_;
  Device& device_;
};

// Moves bytes between host and devices.
inline void Move(void* to, const void* from, std::size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(turn);
  std::vector<Device*> entered;
  for (int i = 0; i < CountDevices(); ++i) {
    if (!devices[i].Has(to) && !devices[i].Has(from)) continue;
    devices[i].Enter();
    entered.push_back(&devices[i]);
  }
  std::memmove(to, from, bytes);
  for (Device* device : entered) device->Leave();
}

}  // namespace cuda_on_host

inline void __syncthreads() { cuda_on_host::Wait(cuda_on_host::Waits::kBlock); }

inline double __shfl_xor_sync(unsigned, double value, int mask) {
  const int place = cuda_on_host::Meet([&](cuda_on_host::Shown* shown) { shown->value = value; });
  return cuda_on_host::Lane((threadIdx.x % 32) ^ mask).shown[place].value;
}
template <typename T>
T atomicAdd(T* at, T value) {
  const T before = *at;
  *at += value;
  return before;
}
template <typename T>
T atomicMax(T* at, T value) {
  const T before = *at;
  *at = std::max(before, value);
  return before;
}
template <typename T>
T __ldg(const T* at) {
  return *at;
}

using cudaError_t = int;
constexpr int cudaSuccess = 0, cudaErrorMemoryAllocation = 2, cudaErrorInvalidDevice = 101,
              cudaErrorPeerAccessAlreadyEnabled = 704;
constexpr int cudaMemcpyHostToDevice = 1, cudaMemcpyDeviceToHost = 2, cudaMemcpyDeviceToDevice = 3;
using cudaStream_t = struct CUstream_st*;
constexpr unsigned cudaStreamNonBlocking = 1;
struct cudaDeviceProp {
  char name[32] = "host emulation";
  int major = 0, minor = 0;
  int multiProcessorCount = 2;
  std::size_t totalGlobalMem = cuda_on_host::Device::bytes();
  std::size_t sharedMemPerBlockOptin = cuda_on_host::kSharedBytes;
};
inline const char* cudaGetErrorString(cudaError_t error) {
  return error == cudaErrorMemoryAllocation ? "out of memory" : "invalid device ordinal";
}
inline cudaError_t cudaGetLastError() { return cudaSuccess; }
inline cudaError_t cudaMalloc(void** memory, std::size_t bytes) {
  const std::lock_guard<std::recursive_mutex> lock(cuda_on_host::turn);
  *memory = cuda_on_host::devices[cuda_on_host::current_device].Allocate(bytes);
  const cuda_on_host::OnDevice on_device;
  if (*memory != nullptr) std::memset(*memory, 0xFF, bytes);
  return *memory != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFree(void* memory) {
  const std::lock_guard<std::recursive_mutex> lock(cuda_on_host::turn);
  if (memory == nullptr) return cudaSuccess;
  const auto is_owner = [memory](const cuda_on_host::Device& device) { return device.Has(memory); };
  cuda_on_host::Device* const end = cuda_on_host::devices + cuda_on_host::kMostDevices;
  cuda_on_host::Device* const owner = std::find_if(cuda_on_host::devices, end, is_owner);
  if (owner == end) throw std::logic_error("memory is freed that no device has");
  return owner->Free(memory), cudaSuccess;
}
inline cudaError_t cudaMallocHost(void** memory, std::size_t bytes) {
  *memory = std::aligned_alloc(64, bytes);
  return *memory != nullptr ? cudaSuccess : cudaErrorMemoryAllocation;
}
inline cudaError_t cudaFreeHost(void* memory) { return std::free(memory), cudaSuccess; }
inline cudaError_t cudaMemcpy(void* to, const void* from, std::size_t bytes, int) {
  return cuda_on_host::Move(to, from, bytes), cudaSuccess;
}
inline cudaError_t cudaMemcpyAsync(void* to, const void* from, std::size_t bytes, int kind, cudaStream_t) {
  return cudaMemcpy(to, from, bytes, kind);
}
inline cudaError_t cudaMemset(void* at, int value, std::size_t bytes) {
  const cuda_on_host::OnDevice on_device;
  return std::memset(at, value, bytes), cudaSuccess;
}
inline cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned) {
  return *stream = reinterpret_cast<cudaStream_t>(1), cudaSuccess;
}
inline cudaError_t cudaStreamSynchronize(cudaStream_t) { return cudaSuccess; }
inline cudaError_t cudaSetDevice(int device) {
  if (device < 0 || device >= cuda_on_host::CountDevices()) return cudaErrorInvalidDevice;
  return cuda_on_host::current_device = device, cudaSuccess;
}
inline cudaError_t cudaDeviceCanAccessPeer(int* can, int, int) { return *can = 1, cudaSuccess; }
inline cudaError_t cudaDeviceEnablePeerAccess(int, unsigned) { return cudaErrorPeerAccessAlreadyEnabled; }
// Both devices must be those that have the memory.
inline cudaError_t cudaMemcpyPeer(void* to, int to_device, const void* from, int from_device, std::size_t bytes) {
  if (!cuda_on_host::devices[to_device].Has(to) || !cuda_on_host::devices[from_device].Has(from)) {
    return cudaErrorInvalidDevice;
  }
  return cuda_on_host::Move(to, from, bytes), cudaSuccess;
}
inline cudaError_t cudaDriverGetVersion(int* version) { return *version = 0, cudaSuccess; }
inline cudaError_t cudaRuntimeGetVersion(int* version) { return *version = 0, cudaSuccess; }
inline cudaError_t cudaDeviceSynchronize() { return cudaSuccess; }
inline cudaError_t cudaGetDevice(int* device) { return *device = cuda_on_host::current_device, cudaSuccess; }
inline cudaError_t cudaGetDeviceCount(int* count) { return *count = cuda_on_host::CountDevices(), cudaSuccess; }
inline cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int) {
  return *properties = cudaDeviceProp(), cudaSuccess;
}

#define RXNN_SHARED(type, name) type* name = reinterpret_cast<type*>(cuda_on_host::block.shared)

namespace cuda_on_host {

template <typename... Parameters, typename... Arguments>
void Launch(void (*kernel)(Parameters...), dim3 grid, int threads, std::size_t shared, const Arguments&... arguments) {
  if (shared > cuda_on_host::kSharedBytes) throw std::logic_error("too much shared memory");
  const OnDevice on_device;
  gridDim = grid;
  blockDim = dim3(threads);
  cuda_on_host::block.kernel = [&] { kernel(arguments...); };
  for (blockIdx.z = 0; blockIdx.z < grid.z; ++blockIdx.z) {
    for (blockIdx.y = 0; blockIdx.y < grid.y; ++blockIdx.y) {
      for (blockIdx.x = 0; blockIdx.x < grid.x; ++blockIdx.x) cuda_on_host::RunBlock(threads);
    }
  }
}

}  // namespace cuda_on_host

namespace rxnn::cuda {

using cuda_on_host::Launch;

inline float Bf16(std::uint32_t word, unsigned half) {
  const std::uint32_t bits = half == 0 ? word << 16 : word & 0xFFFF0000u;
  float value;
  std::memcpy(&value, &bits, sizeof(value));
  return value;
}

inline void MultiplyBf16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  const int place = cuda_on_host::Meet([&](cuda_on_host::Shown* shown) {
    std::copy_n(a, 4, shown->a);
    shown->b[0] = b0;
    shown->b[1] = b1;
  });
  const unsigned g = threadIdx.x % 32 / 4, t = threadIdx.x % 4;
  for (unsigned i = 0; i < 4; ++i) {
    const unsigned row = g + i / 2 * 8, col = 2 * t + i % 2;
    for (unsigned k = 0; k < 16; ++k) {
      const cuda_on_host::Fiber& left = cuda_on_host::Lane(row % 8 * 4 + k % 8 / 2);
      const cuda_on_host::Fiber& right = cuda_on_host::Lane(col * 4 + k % 8 / 2);
      d[i] += Bf16(left.shown[place].a[row / 8 + k / 8 * 2], k % 2) * Bf16(right.shown[place].b[k / 8], k % 2);
    }
  }
}

inline void CopyBeside(uint4* shared, const uint4* global) {
  if (cuda_on_host::block.copies_early) {
    *shared = *global;
    return;
  }
  cuda_on_host::Me().copies.push_back({shared, global, cuda_on_host::Me().group});
}
inline void CommitCopies() { ++cuda_on_host::Me().group; }
template <int kGroups>
void WaitForCopies() {
  auto& me = cuda_on_host::Me();
  for (; !me.copies.empty() && me.copies.front().group < me.group - kGroups; me.copies.pop_front()) {
    std::memcpy(me.copies.front().to, me.copies.front().from, 16);
  }
}

}  // namespace rxnn::cuda
