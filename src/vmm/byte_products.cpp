#include "vmm/byte_products.hpp"

#include <algorithm>
#include <atomic>

#include "hwy/highway.h"

#if HWY_ARCH_X86_64 && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace rxnn {
namespace {

std::atomic<ByteProducts> limit{ByteProducts::kTiles};

#if HWY_ARCH_X86_64 && defined(__linux__)

// CPUID leaf 7 (Intel SDM, vol. 2A): EDX bits 24 and 25 say AMX-TILE and AMX-INT8. Linux lends the tiles' 8 KiB of
// state to processes that ask for it (Documentation/arch/x86/xstate.rst).
bool HasTiles() {
  constexpr unsigned kTilesAndBytes = 1u << 24 | 1u << 25;
  constexpr long kRequestPermission = 0x1023;  // ARCH_REQ_XCOMP_PERM
  constexpr long kTileData = 18;
  unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
  if (__get_cpuid_count(7, 0, &eax, &ebx, &ecx, &edx) == 0) return false;
  if ((edx & kTilesAndBytes) != kTilesAndBytes) return false;
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

ByteProducts Detect() {
  // The kernels around them; what Highway asks for.
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512cd");
  if (!avx512) return ByteProducts::kNone;
  if (HasTiles()) return ByteProducts::kTiles;
  return __builtin_cpu_supports("avx512vnni") ? ByteProducts::kVectors : ByteProducts::kNone;
}

#else

ByteProducts Detect() { return ByteProducts::kNone; }

#endif

}  // namespace

ByteProducts BestByteProducts() {
#if (HWY_TARGETS & HWY_AVX3) != 0
  static const ByteProducts detected = Detect();  // CPUID takes microseconds in a virtual machine
  return std::min(detected, limit.load());
#else
  return ByteProducts::kNone;
#endif
}

void LimitByteProducts(ByteProducts most) { limit = most; }

}  // namespace rxnn
