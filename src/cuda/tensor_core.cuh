// The tensor-core instruction of the products, and what goes with it. sm_80 and newer.
#pragma once

#include <cstdint>

#include "cuda/launch.cuh"

namespace rxnn::cuda {

// Two bf16 in a word, the first in the lower half. bf16 is the upper half of a float32: 8 significant bits.
__host__ __device__ inline std::uint32_t BitsOf(float value) {
#ifdef __CUDA_ARCH__
  return __float_as_uint(value);
#else
  union {
    float value;
    std::uint32_t bits;
  } both{value};
  return both.bits;
#endif
}
__host__ __device__ inline float FloatOf(std::uint32_t bits) {
#ifdef __CUDA_ARCH__
  return __uint_as_float(bits);
#else
  union {
    std::uint32_t bits;
    float value;
  } both{bits};
  return both.value;
#endif
}

// The nearest bf16, half to even, in the upper half of a word, the lower one 0. |value| < 2^127.
__host__ __device__ inline std::uint32_t NearestBf16(float value) {
  const std::uint32_t bits = BitsOf(value);
  return (bits + 0x7FFFu + ((bits >> 16) & 1u)) & 0xFFFF0000u;
}

// value = sum of `kMostParts` bf16 exactly, for magnitudes from 2^-100 to 2^100 and 0: every part is the nearest bf16
// of what the ones before leave. Two parts leave at most 2^-18 |value|, one at most 2^-9 |value|.
constexpr int kMostParts = 3;
__host__ __device__ inline std::uint32_t Bf16Part(float value, int part) {
  std::uint32_t bits = NearestBf16(value);
  for (; part > 0; --part) {
    value -= FloatOf(bits);
    bits = NearestBf16(value);
  }
  return bits >> 16;
}

#ifndef RXNN_CUDA_ON_HOST
// d (16 x 8, float32) += a (16 x 16) b (16 x 8) by a whole warp, all in bf16 but d. Of lane 4 g + t:
//   a[0..3]: (row g, columns 2t, 2t+1), (g+8, the same), (g, 2t+8, 2t+9), (g+8, the same)
//   b[0..1]: (rows 2t, 2t+1, column g), (2t+8, 2t+9, g)
//   d[0..3]: (row g, column 2t), (g, 2t+1), (g+8, 2t), (g+8, 2t+1)
// Source: PTX ISA, "Matrix Fragments for mma.m16n8k16 with floating point type".
__device__ inline void MultiplyBf16(float (&d)[4], const std::uint32_t (&a)[4], std::uint32_t b0, std::uint32_t b1) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, {%0,%1,%2,%3};\n"
      : "+f"(d[0]), "+f"(d[1]), "+f"(d[2]), "+f"(d[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b0), "r"(b1));
}

// Copies 16 bytes from global to shared memory beside the work. Copies between two calls of CommitCopies are a group;
// WaitForCopies<n> waits for all groups of this thread but the last n.
__device__ inline void CopyBeside(uint4* shared, const uint4* global) {
  const std::uint32_t address = static_cast<std::uint32_t>(__cvta_generic_to_shared(shared));
  asm volatile("cp.async.cg.shared.global [%0], [%1], 16;\n" ::"r"(address), "l"(global) : "memory");
}
__device__ inline void CommitCopies() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
template <int kGroups>
__device__ inline void WaitForCopies() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kGroups) : "memory");
}
#endif

}  // namespace rxnn::cuda
