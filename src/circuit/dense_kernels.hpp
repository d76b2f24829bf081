// The dense kernel that the extraction spends its time in, for every instruction set the machine may have.
#pragma once

#include <cstddef>

namespace rxnn::circuit {

// Rows and columns are eliminated in blocks of this many; sizes and strides are multiples of it.
constexpr int kBlock = 8;

constexpr int RoundUpToBlock(int n) { return (n + kBlock - 1) / kBlock * kBlock; }

// Numbers of scratch that InvertAndApply needs.
constexpr std::ptrdiff_t InvertAndApplyScratch(std::ptrdiff_t stride) { return 2 * kBlock * stride; }

// Inverts a symmetric M-matrix A (m x m) that is given by the magnitudes of its off-diagonal entries and its row sums,
//   A_pq = -h_pq (p != q, h >= 0),   A 1 = e > 0,   so   A_pp = e_p + sum_{q != p} h_pq,
// and applies the inverse to `count` vectors. `rows` holds m rows of `stride` numbers: [h | e | x_1 .. x_count].
//   in:  h_pq for q > p (the rest of h is not read), e, x;
//   out: (A^-1)_pq in place of h_pq for q >= p, A^-1 e (which is 1) and A^-1 x.
// m and stride are multiples of kBlock, stride >= m + 1 + count; numbers beyond are padding and must be finite.
//
// Method: blocked symmetric Gauss-Jordan elimination in which every pivot is summed up from the row sums instead of
// subtracted (Grassmann, Taksar, Heyman, Operations Research 33, 1985; for M-matrices Alfa, Xue, Ye, Math. Comp. 71,
// 2002). For x >= 0 there is then no subtraction anywhere: every entry of the result is accurate to a small multiple of
// m eps relative to itself, whatever the condition of A. m^3 + 2 m^2 count flops.
void InvertAndApply(double* rows, int m, int count, std::ptrdiff_t stride, double* scratch);

// c (rows x cols) += f^T e with f (depth x rows) and e (depth x cols); depth, rows and cols are multiples of kBlock.
void AddTransposedProduct(const double* f, std::ptrdiff_t f_stride, const double* e, std::ptrdiff_t e_stride, int depth,
                          int rows, int cols, double* c, std::ptrdiff_t c_stride);

}  // namespace rxnn::circuit
