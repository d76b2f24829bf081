// Compiled once per instruction set by foreach_target; holds kernels only.
#include "circuit/dense_kernels.hpp"

// Register tiles are arrays of vectors, which need vectors of a size that the compiler knows.
#define HWY_DISABLED_TARGETS (HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128 | HWY_RVV)
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "circuit/dense_kernels.cpp"
#include "hwy/foreach_target.h"  // IWYU pragma: keep
// foreach_target.h comes before highway.h
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace rxnn::circuit {
namespace HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

// At most kBlock lanes, so that a row of a block is a whole number of vectors.
using Tag = hn::CappedTag<double, kBlock>;
using Vector = hn::Vec<Tag>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(Tag()));
// Rows of a register tile: 24 accumulators of 32 registers with AVX-512, 12 of 16 elsewhere.
constexpr int kTileRows = kLanes == 8 ? 8 : 4;
constexpr int kTileVectors = 3;

// c (R x V vectors) += f^T e with f (kBlock x R), e (kBlock x V vectors); kAccumulate false: c = f^T e.
template <int R, int V, bool kAccumulate>
HWY_INLINE void Tile(const double* HWY_RESTRICT f, std::ptrdiff_t f_stride, const double* HWY_RESTRICT e,
                     std::ptrdiff_t e_stride, double* HWY_RESTRICT c, std::ptrdiff_t c_stride) {
  const Tag tag;
  Vector sum[R][V];
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) {
      sum[r][v] = kAccumulate ? hn::LoadU(tag, c + r * c_stride + v * kLanes) : hn::Zero(tag);
    }
  }
  for (int k = 0; k < kBlock; ++k) {
    Vector right[V];
    for (int v = 0; v < V; ++v) right[v] = hn::LoadU(tag, e + k * e_stride + v * kLanes);
    for (int r = 0; r < R; ++r) {
      const Vector left = hn::Set(tag, f[k * f_stride + r]);
      for (int v = 0; v < V; ++v) sum[r][v] = hn::MulAdd(left, right[v], sum[r][v]);
    }
  }
  for (int r = 0; r < R; ++r) {
    for (int v = 0; v < V; ++v) hn::StoreU(sum[r][v], tag, c + r * c_stride + v * kLanes);
  }
}

// The same for kBlock rows of c and columns [begin, end), multiples of kBlock, of e and c.
template <bool kAccumulate>
HWY_INLINE void BlockProduct(const double* HWY_RESTRICT f, std::ptrdiff_t f_stride, const double* HWY_RESTRICT e,
                             std::ptrdiff_t e_stride, int begin, int end, double* HWY_RESTRICT c,
                             std::ptrdiff_t c_stride) {
  for (int r = 0; r < kBlock; r += kTileRows) {
    const double* fr = f + r;
    double* cr = c + r * c_stride;
    int j = begin;
    for (; j + kTileVectors * kLanes <= end; j += kTileVectors * kLanes) {
      Tile<kTileRows, kTileVectors, kAccumulate>(fr, f_stride, e + j, e_stride, cr + j, c_stride);
    }
    for (; j < end; j += kLanes) Tile<kTileRows, 1, kAccumulate>(fr, f_stride, e + j, e_stride, cr + j, c_stride);
  }
}

// Inverse of one pivot block: h as in InvertAndApply, both triangles in, whole inverse out; e is used up.
HWY_INLINE void InvertBlock(double (&h)[kBlock][kBlock], double (&e)[kBlock]) {
  for (int k = 0; k < kBlock; ++k) {
    double pivot = e[k];
    for (int q = k + 1; q < kBlock; ++q) pivot += h[k][q];
    const double inverse = 1 / pivot;
    double row[kBlock];
    for (int q = 0; q < kBlock; ++q) row[q] = h[k][q];
    row[k] = 1;
    const double row_sum = e[k];
    for (int p = 0; p < kBlock; ++p) {
      const double factor = p == k ? inverse : h[p][k] * inverse;
      if (p == k) {
        for (int q = 0; q < kBlock; ++q) h[p][q] = factor * row[q];
        continue;
      }
      h[p][k] = 0;
      for (int q = 0; q < kBlock; ++q) h[p][q] += factor * row[q];
      e[p] += factor * row_sum;
    }
  }
}

// Eliminates the block that begins at row and column `b`: Gauss-Jordan step of [A | e | x].
HWY_INLINE void EliminateBlock(double* HWY_RESTRICT rows, int m, int end, int b, std::ptrdiff_t stride,
                               double* HWY_RESTRICT old_rows, double* HWY_RESTRICT new_rows) {
  const Tag tag;
  double pivot[kBlock][kBlock];
  double row_sums[kBlock];
  for (int k = 0; k < kBlock; ++k) {
    const double* row = rows + (b + k) * stride;
    // Within the block, what couples to rows not yet eliminated belongs to the row sum.
    Vector coupling = hn::Zero(tag);
    for (int q = b + kBlock; q < m; q += kLanes) coupling = hn::Add(coupling, hn::LoadU(tag, row + q));
    row_sums[k] = row[m] + hn::GetLane(hn::SumOfLanes(tag, coupling));
    pivot[k][k] = 0;
    for (int q = k + 1; q < kBlock; ++q) pivot[k][q] = pivot[q][k] = row[b + q];
  }
  InvertBlock(pivot, row_sums);

  // The block's rows as they were: what lies left of the diagonal is read from the upper triangle. The block's own
  // columns are 0, so that updates leave them alone.
  for (int k = 0; k < kBlock; ++k) {
    double* old_row = old_rows + k * stride;
    for (int p = 0; p < b; ++p) old_row[p] = rows[p * stride + b + k];
    for (int q = b; q < b + kBlock; ++q) old_row[q] = 0;
    for (int q = b + kBlock; q < end; q += kLanes) {
      hn::StoreU(hn::LoadU(tag, rows + (b + k) * stride + q), tag, old_row + q);
    }
  }
  BlockProduct<false>(&pivot[0][0], kBlock, old_rows, stride, 0, end, new_rows, stride);

  for (int p = 0; p < m; p += kBlock) {
    if (p == b) continue;
    BlockProduct<true>(new_rows + p, stride, old_rows, stride, p, end, rows + p * stride, stride);
  }

  for (int k = 0; k < kBlock; ++k) {
    const double* new_row = new_rows + k * stride;
    double* row = rows + (b + k) * stride;
    for (int p = 0; p < b; ++p) rows[p * stride + b + k] = new_row[p];
    for (int q = 0; q < kBlock; ++q) row[b + q] = pivot[k][q];
    for (int q = b + kBlock; q < end; q += kLanes) hn::StoreU(hn::LoadU(tag, new_row + q), tag, row + q);
  }
}

void InvertAndApply(double* rows, int m, int count, std::ptrdiff_t stride, double* scratch) {
  const int end = m + RoundUpToBlock(1 + count);
  for (int b = 0; b < m; b += kBlock) EliminateBlock(rows, m, end, b, stride, scratch, scratch + kBlock * stride);
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn::circuit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn::circuit {
HWY_EXPORT(InvertAndApply);

void InvertAndApply(double* rows, int m, int count, std::ptrdiff_t stride, double* scratch) {
  HWY_DYNAMIC_DISPATCH(InvertAndApply)(rows, m, count, stride, scratch);
}
}  // namespace rxnn::circuit
#endif
