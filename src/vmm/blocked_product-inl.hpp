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

// The most SIMD vectors of columns, and the rows of digits, of a block: 24 of 32 accumulators where there are 32
// registers, 12 of 16 elsewhere. Blocks of fewer columns take more rows: too few sums at a time would wait for each
// other.
constexpr size_t kBlockRows = 6;
#if HWY_TARGET <= HWY_AVX3 || HWY_TARGET == HWY_NEON
constexpr size_t kColumnVectors = 4;
#else
constexpr size_t kColumnVectors = 2;
#endif
constexpr size_t RowsOfBlock(size_t column_vectors) {
  return column_vectors * 2 <= kColumnVectors ? 2 * kBlockRows : kBlockRows;
}

// currents[q][col] = sum_row digits[q][row] levels[row][col] for kRows rows of digits and kVectors SIMD vectors of
// columns. Rows of digits are row_stride apart, rows of levels `cols`, rows of currents kPanelCols.
template <size_t kRows, size_t kVectors, class D, typename T = hn::TFromD<D>>
HWY_INLINE void Block(D d, const T* HWY_RESTRICT digits, size_t row_stride, const T* HWY_RESTRICT levels, size_t rows,
                      size_t cols, T* HWY_RESTRICT currents) {
  using V = hn::Vec<D>;
  constexpr size_t lanes = hn::MaxLanes(D());
  V sums[kRows][kVectors];
#pragma GCC unroll 16
  for (size_t q = 0; q < kRows; ++q) {
#pragma GCC unroll 16
    for (size_t n = 0; n < kVectors; ++n) sums[q][n] = hn::Zero(d);
  }
  for (size_t i = 0; i < rows; ++i) {
    V row[kVectors];
#pragma GCC unroll 16
    for (size_t n = 0; n < kVectors; ++n) row[n] = hn::Load(d, levels + i * cols + n * lanes);
#pragma GCC unroll 16
    for (size_t q = 0; q < kRows; ++q) {
      const V digit = hn::Set(d, digits[q * row_stride + i]);
#pragma GCC unroll 16
      for (size_t n = 0; n < kVectors; ++n) sums[q][n] = hn::MulAdd(digit, row[n], sums[q][n]);
    }
  }
#pragma GCC unroll 16
  for (size_t q = 0; q < kRows; ++q) {
#pragma GCC unroll 16
    for (size_t n = 0; n < kVectors; ++n) hn::Store(sums[q][n], d, currents + q * kPanelCols + n * lanes);
  }
}

// The same for any number of rows of digits.
template <size_t kVectors, class D, typename T = hn::TFromD<D>>
HWY_NOINLINE void ColumnCurrents(D d, const T* HWY_RESTRICT digits, size_t row_stride, const T* HWY_RESTRICT levels,
                                 size_t rows, size_t cols, size_t count, T* HWY_RESTRICT currents) {
  constexpr size_t kRows = RowsOfBlock(kVectors);
  size_t q = 0;
  for (; q + kRows <= count; q += kRows) {
    Block<kRows, kVectors>(d, digits + q * row_stride, row_stride, levels, rows, cols, currents + q * kPanelCols);
  }
  for (; q + kRows / 2 <= count; q += kRows / 2) {
    Block<kRows / 2, kVectors>(d, digits + q * row_stride, row_stride, levels, rows, cols, currents + q * kPanelCols);
  }
  for (; q + 2 <= count; q += 2) {
    Block<2, kVectors>(d, digits + q * row_stride, row_stride, levels, rows, cols, currents + q * kPanelCols);
  }
  if (q < count) {
    Block<1, kVectors>(d, digits + q * row_stride, row_stride, levels, rows, cols, currents + q * kPanelCols);
  }
}

// The same for all columns of a panel.
template <typename T>
HWY_INLINE void Currents(const T* HWY_RESTRICT digits, size_t row_stride, const T* HWY_RESTRICT levels, size_t rows,
                         size_t cols, size_t count, T* HWY_RESTRICT currents) {
  const hn::CappedTag<T, 16> d;
  constexpr size_t lanes = hn::MaxLanes(decltype(d)());
  size_t j = 0;
  for (; j + kColumnVectors * lanes <= cols; j += kColumnVectors * lanes) {
    ColumnCurrents<kColumnVectors>(d, digits, row_stride, levels + j, rows, cols, count, currents + j);
  }
  switch ((cols - j) / lanes) {
    case 3:
      return ColumnCurrents<3>(d, digits, row_stride, levels + j, rows, cols, count, currents + j);
    case 2:
      return ColumnCurrents<2>(d, digits, row_stride, levels + j, rows, cols, count, currents + j);
    case 1:
      return ColumnCurrents<1>(d, digits, row_stride, levels + j, rows, cols, count, currents + j);
    default:
      return;
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn
HWY_AFTER_NAMESPACE();

#endif  // per-target include guard
