// Products of some rows of digits with a panel, blocked for the registers. Included once per instruction set.
#include <cstddef>

#include "vmm/vmm.hpp"

#if defined(RXNN_VMM_BLOCKED_PRODUCT_INL_HPP) == defined(HWY_TARGET_TOGGLE)
#ifdef RXNN_VMM_BLOCKED_PRODUCT_INL_HPP
#undef RXNN_VMM_BLOCKED_PRODUCT_INL_HPP
#else
#define RXNN_VMM_BLOCKED_PRODUCT_INL_HPP
#endif

#include "vmm/lanes-inl.hpp"

HWY_BEFORE_NAMESPACE();
namespace rxnn {
namespace HWY_NAMESPACE {
// A block holds kBlockRows rows of digits times kColumnVectors SIMD vectors of columns in registers: 24 of 32
// accumulators where there are 32 registers, 12 of 16 elsewhere.
constexpr size_t kBlockRows = 6;
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr size_t kColumnVectors = 4;
#else
constexpr size_t kColumnVectors = 2;
#endif
// currents[q][col] = sum_row digits[q][row] levels[row][col] for kRows rows of digits and kVectors SIMD vectors of
// columns. Rows of digits are row_stride apart, rows of levels `cols`, rows of currents kPanelCols.
template <size_t kRows, size_t kVectors, class D, typename T = hn::TFromD<D>>
HWY_INLINE void Block(D d, const T* HWY_RESTRICT digits, size_t row_stride, const T* HWY_RESTRICT levels, size_t rows,
                      size_t cols, T* HWY_RESTRICT currents) {
  using V = hn::Vec<D>;
  constexpr size_t lanes = hn::MaxLanes(D());
  V sums[kRows][kVectors];
#pragma GCC unroll 8
  for (size_t q = 0; q < kRows; ++q) {
#pragma GCC unroll 8
    for (size_t n = 0; n < kVectors; ++n) sums[q][n] = hn::Zero(d);
  }
  for (size_t i = 0; i < rows; ++i) {
    V row[kVectors];
#pragma GCC unroll 8
    for (size_t n = 0; n < kVectors; ++n) row[n] = hn::Load(d, levels + i * cols + n * lanes);
#pragma GCC unroll 8
    for (size_t q = 0; q < kRows; ++q) {
      const V digit = hn::Set(d, digits[q * row_stride + i]);
#pragma GCC unroll 8
      for (size_t n = 0; n < kVectors; ++n) sums[q][n] = hn::MulAdd(digit, row[n], sums[q][n]);
    }
  }
#pragma GCC unroll 8
  for (size_t q = 0; q < kRows; ++q) {
#pragma GCC unroll 8
    for (size_t n = 0; n < kVectors; ++n) hn::Store(sums[q][n], d, currents + q * kPanelCols + n * lanes);
  }
}

// The same for all columns of a panel.
template <size_t kRows, typename T>
HWY_NOINLINE void RowCurrents(const T* HWY_RESTRICT digits, size_t row_stride, const T* HWY_RESTRICT levels,
                              size_t rows, size_t cols, T* HWY_RESTRICT currents) {
  const hn::CappedTag<T, 16> d;
  constexpr size_t lanes = hn::MaxLanes(decltype(d)());
  size_t j = 0;
  for (; j + kColumnVectors * lanes <= cols; j += kColumnVectors * lanes) {
    Block<kRows, kColumnVectors>(d, digits, row_stride, levels + j, rows, cols, currents + j);
  }
  switch ((cols - j) / lanes) {
    case 3:
      return Block<kRows, 3>(d, digits, row_stride, levels + j, rows, cols, currents + j);
    case 2:
      return Block<kRows, 2>(d, digits, row_stride, levels + j, rows, cols, currents + j);
    case 1:
      return Block<kRows, 1>(d, digits, row_stride, levels + j, rows, cols, currents + j);
    default:
      return;
  }
}

HWY_INLINE void Currents(const float* HWY_RESTRICT digits, size_t row_stride, const float* HWY_RESTRICT levels,
                         size_t rows, size_t cols, size_t count, float* HWY_RESTRICT currents) {
  size_t q = 0;
  for (; q + kBlockRows <= count; q += kBlockRows) {
    RowCurrents<kBlockRows>(digits + q * row_stride, row_stride, levels, rows, cols, currents + q * kPanelCols);
  }
  digits += q * row_stride;
  currents += q * kPanelCols;
  switch (count - q) {
    case 5:
      return RowCurrents<5>(digits, row_stride, levels, rows, cols, currents);
    case 4:
      return RowCurrents<4>(digits, row_stride, levels, rows, cols, currents);
    case 3:
      return RowCurrents<3>(digits, row_stride, levels, rows, cols, currents);
    case 2:
      return RowCurrents<2>(digits, row_stride, levels, rows, cols, currents);
    case 1:
      return RowCurrents<1>(digits, row_stride, levels, rows, cols, currents);
    default:
      return;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
