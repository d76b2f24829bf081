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

// c (R x V vectors) += f^T e with f (kBlock x R), e (kBlock x V vectors); kAccumulate false: c = f^T e. Not inlined:
// the addresses of its rows would be kept for the whole loop around it and spilled.
template <int R, int V, bool kAccumulate>
HWY_NOINLINE void Tile(const double* HWY_RESTRICT f, std::ptrdiff_t f_stride, const double* HWY_RESTRICT e,
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

// Inverse of one pivot block: the same elimination, row by row. `h` holds both triangles on the way in (its diagonal is
// not read), the whole inverse on the way out; e is used up. All aligned.
HWY_INLINE void InvertBlock(double* HWY_RESTRICT h, double* HWY_RESTRICT e) {
  const Tag tag;
  HWY_ALIGN double pivot_row[kBlock];
  HWY_ALIGN double factors[kBlock];
  for (int k = 0; k < kBlock; ++k) {
    const Vector at_k = hn::Set(tag, k);
    Vector later = hn::Zero(tag);
    for (int q = 0; q < kBlock; q += kLanes) {
      const Vector lane = hn::Iota(tag, q);
      const Vector row = hn::Load(tag, h + k * kBlock + q);
      later = hn::Add(later, hn::IfThenElseZero(hn::Gt(lane, at_k), row));
      hn::Store(hn::IfThenElse(hn::Eq(lane, at_k), hn::Set(tag, 1.0), row), tag, pivot_row + q);
    }
    const Vector row_sum = hn::Set(tag, e[k]);
    const Vector inverse = hn::Div(hn::Set(tag, 1.0), hn::Add(row_sum, hn::SumOfLanes(tag, later)));
    // Rows and columns are symmetric, so that row k also holds the factors of column k.
    for (int q = 0; q < kBlock; q += kLanes) {
      const Vector factor = hn::Mul(hn::Load(tag, pivot_row + q), inverse);
      hn::Store(factor, tag, factors + q);
      hn::Store(hn::MulAdd(factor, row_sum, hn::Load(tag, e + q)), tag, e + q);
    }
    for (int q = 0; q < kBlock; q += kLanes) {
      const auto is_k = hn::Eq(hn::Iota(tag, q), at_k);
      const Vector row_k = hn::Load(tag, pivot_row + q);
      for (int p = 0; p < kBlock; ++p) {
        double* row_p = h + p * kBlock + q;
        const Vector kept = p == k ? hn::Zero(tag) : hn::IfThenZeroElse(is_k, hn::Load(tag, row_p));
        hn::Store(hn::MulAdd(hn::Set(tag, factors[p]), row_k, kept), tag, row_p);
      }
    }
  }
}

// Inverse of the pivot block that begins at row and column `b`.
HWY_INLINE void InvertPivot(const double* HWY_RESTRICT rows, int m, int b, std::ptrdiff_t stride,
                            double* HWY_RESTRICT pivot) {
  const Tag tag;
  HWY_ALIGN double row_sums[kBlock];
  for (int k = 0; k < kBlock; ++k) {
    const double* row = rows + (b + k) * stride;
    // Within the block, what couples to rows not yet eliminated belongs to the row sum.
    Vector coupling = hn::Zero(tag);
    for (int q = b + kBlock; q < m; q += kLanes) coupling = hn::Add(coupling, hn::LoadU(tag, row + q));
    row_sums[k] = row[m] + hn::GetLane(hn::SumOfLanes(tag, coupling));
    pivot[k * kBlock + k] = 0;
    for (int q = k + 1; q < kBlock; ++q) pivot[k * kBlock + q] = pivot[q * kBlock + k] = row[b + q];
  }
  InvertBlock(pivot, row_sums);
}

// The block's rows up to `end`; what lies left of the diagonal is read from the upper triangle. The block's own columns
// are 0, so that updates leave them alone.
HWY_INLINE void CopyBlockRows(const double* HWY_RESTRICT rows, int end, int b, std::ptrdiff_t stride,
                              double* HWY_RESTRICT copy) {
  const Tag tag;
  for (int p = 0; p < b; ++p) {
    for (int k = 0; k < kBlock; ++k) copy[k * stride + p] = rows[p * stride + b + k];
  }
  for (int k = 0; k < kBlock; ++k) {
    for (int q = b; q < b + kBlock; ++q) copy[k * stride + q] = 0;
    for (int q = b + kBlock; q < end; q += kLanes) {
      hn::StoreU(hn::LoadU(tag, rows + (b + k) * stride + q), tag, copy + k * stride + q);
    }
  }
}

// The reverse: new rows of the block, and the inverse pivot as its own columns.
HWY_INLINE void StoreBlockRows(const double* HWY_RESTRICT block, const double* HWY_RESTRICT pivot, int end, int b,
                               std::ptrdiff_t stride, double* HWY_RESTRICT rows) {
  const Tag tag;
  for (int p = 0; p < b; ++p) {
    for (int k = 0; k < kBlock; ++k) rows[p * stride + b + k] = block[k * stride + p];
  }
  for (int k = 0; k < kBlock; ++k) {
    double* row = rows + (b + k) * stride;
    for (int q = 0; q < kBlock; ++q) row[b + q] = pivot[k * kBlock + q];
    for (int q = b + kBlock; q < end; q += kLanes) hn::StoreU(hn::LoadU(tag, block + k * stride + q), tag, row + q);
  }
}

// One step of Gauss-Jordan on [A | e | x]: with the block's rows E and its inverse pivot D, the block becomes D E, and
// every other row p gains (D E)_p^T E. Signs are those of magnitudes: all of it adds.
HWY_INLINE void EliminateBlock(double* HWY_RESTRICT rows, int m, int end, int b, std::ptrdiff_t stride,
                               double* HWY_RESTRICT old_block, double* HWY_RESTRICT new_block) {
  HWY_ALIGN double pivot[kBlock * kBlock];
  InvertPivot(rows, m, b, stride, pivot);
  CopyBlockRows(rows, end, b, stride, old_block);
  BlockProduct<false>(pivot, kBlock, old_block, stride, 0, end, new_block, stride);
  for (int p = 0; p < m; p += kBlock) {
    if (p != b) BlockProduct<true>(new_block + p, stride, old_block, stride, p, end, rows + p * stride, stride);
  }
  StoreBlockRows(new_block, pivot, end, b, stride, rows);
}

void InvertAndApply(double* rows, int m, int count, std::ptrdiff_t stride, double* scratch) {
  const int end = m + RoundUpToBlock(1 + count);
  for (int b = 0; b < m; b += kBlock) EliminateBlock(rows, m, end, b, stride, scratch, scratch + kBlock * stride);
}

void AddTransposedProduct(const double* f, std::ptrdiff_t f_stride, const double* e, std::ptrdiff_t e_stride, int depth,
                          int rows, int cols, double* c, std::ptrdiff_t c_stride) {
  for (int k = 0; k < depth; k += kBlock) {
    for (int r = 0; r < rows; r += kBlock) {
      BlockProduct<true>(f + k * f_stride + r, f_stride, e + k * e_stride, e_stride, 0, cols, c + r * c_stride,
                         c_stride);
    }
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace rxnn::circuit
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace rxnn::circuit {
HWY_EXPORT(InvertAndApply);
HWY_EXPORT(AddTransposedProduct);

void InvertAndApply(double* rows, int m, int count, std::ptrdiff_t stride, double* scratch) {
  HWY_DYNAMIC_DISPATCH(InvertAndApply)(rows, m, count, stride, scratch);
}

void AddTransposedProduct(const double* f, std::ptrdiff_t f_stride, const double* e, std::ptrdiff_t e_stride, int depth,
                          int rows, int cols, double* c, std::ptrdiff_t c_stride) {
  HWY_DYNAMIC_DISPATCH(AddTransposedProduct)(f, f_stride, e, e_stride, depth, rows, cols, c, c_stride);
}
}  // namespace rxnn::circuit
#endif
