#include "circuit/extract_cuda.hpp"
#include "cuda/launch.cuh"

namespace rxnn::cuda {
namespace {

constexpr int kThreads = 256;

// What of a frame the kernel needs.
struct Sweep {
  int lines, terminals, count;
  bool mirrored;
  LineEnds sensed;
  double drive_ohm, sense_ohm;
  const double *between, *along;  // ohm
  const double* g;
  double* g_eq;
  double* scratch;

  __device__ int Cell(int line, int terminal) const {
    return mirrored ? line * terminals + terminal : (terminals - 1 - terminal) * lines + (lines - 1 - line);
  }
  __device__ bool NearSensed(int line) const { return sensed != LineEnds::kAlternating || Number(line) % 2 == 0; }
  __device__ bool FarSensed(int line) const {
    return sensed == LineEnds::kBoth || (sensed == LineEnds::kAlternating && Number(line) % 2 == 1);
  }
  __device__ int Number(int line) const { return mirrored ? line : lines - 1 - line; }
};

// Numbers of one line, a column of [terminals][lines]: neighbouring threads find neighbouring numbers.
struct Column {
  double* first;
  int stride;
  __device__ double& operator[](int p) const { return first[p * stride]; }
};

// What a bit line is to its terminals (bit_line.cpp), as numbers to be multiplied along the chain: q passes a current
// `start` down to the terminals p < q, of which `leaves` comes out at each and `passes` goes on. `extra` is added to
// what arrives at the end, or (Far) is all that counts.
struct Chain {
  Column leaves, passes, start, extra;
};

// One thread for one line.
__device__ void FollowLine(const Sweep& sweep, const double* g, int line, const Chain& chain, const Column& z,
                           const Column& far_z) {
  const int m = sweep.terminals;
  const bool near = sweep.NearSensed(line);
  const bool far = sweep.FarSensed(line);
  const auto cell = [&](int p) { return g[sweep.Cell(line, p)]; };
  if (far) {
    double ohm = sweep.sense_ohm;
    for (int p = m - 1; p >= 0; --p) {
      far_z[p] = ohm;
      if (p > 0) ohm = sweep.along[p - 1] + ohm / (1 + ohm * cell(p));
    }
  }
  if (near) {
    double ohm = sweep.sense_ohm;
    for (int p = 0; p < m; ++p) {
      const double passes = 1 / (1 + ohm * cell(p));
      z[p] = ohm;
      chain.passes[p] = passes;
      chain.leaves[p] = cell(p) * ohm * passes;
      if (p + 1 < m) ohm = sweep.along[p] + ohm * passes;
    }
    double above = 0;   // conductance from node p upwards, without cell p
    double beyond = 1;  // share that passes all nodes beyond p, upwards
    for (int p = m - 1; p >= 0; --p) {
      if (far) {
        const double down = z[p], up = far_z[p];
        const double both = down + up + cell(p) * down * up;
        chain.start[p] = both > 0 ? cell(p) * up / both : cell(p);
        chain.extra[p] = both > 0 ? cell(p) * down / both * beyond : 0;
        beyond /= 1 + up * cell(p);
      } else {
        const double h = cell(p) + above;
        chain.start[p] = cell(p) / (1 + z[p] * h);
        chain.extra[p] = 0;
        if (p > 0) above = h / (1 + sweep.along[p - 1] * h);
      }
    }
    return;
  }
  double below = 0;  // conductance from node p downwards, without cell p
  for (int p = 0; p < m; ++p) {
    const double h = cell(p) + below;
    chain.leaves[p] = cell(p) / (1 + far_z[p] * h);  // what is injected
    if (p + 1 < m) below = h / (1 + sweep.along[p] * h);
  }
  double beyond = 1;
  for (int p = m - 1; p >= 0; --p) {
    const double passes = 1 / (1 + far_z[p] * cell(p));
    chain.passes[p] = passes;
    chain.start[p] = cell(p) * far_z[p] * passes;
    chain.extra[p] = chain.leaves[p] * beyond;
    beyond *= passes;
  }
}

// The state of one array in shared memory: rows of [a | e | y | x].
struct Rows {
  double* first;
  double* pivot_row;  // of the step
  double* line;       // leaves and passes of the line that is added
  int m, stride;

  __device__ double& at(int p, int q) const { return first[p * stride + q]; }
};

// a += S's couplings, y += c, x_line = c.
__device__ void AddLine(const Sweep& sweep, const Rows& rows, const Chain& of_line, int line, double unit_ohm) {
  const int m = sweep.terminals;
  const bool near = sweep.NearSensed(line);
  for (int p = threadIdx.x; p < m; p += kThreads) {
    rows.line[p] = of_line.leaves[p];
    rows.line[m + p] = of_line.passes[p];
  }
  __syncthreads();
  for (int q = threadIdx.x; q < m; q += kThreads) {
    double c = of_line.start[q];
    for (int p = q - 1; p >= 0; --p) {
      const double a = rows.at(p, q) + unit_ohm * rows.line[p] * c;
      rows.at(p, q) = a;
      rows.at(q, p) = a;
      c *= rows.line[m + p];
    }
    const double transfer = near ? c + of_line.extra[q] : of_line.extra[q];
    rows.at(q, m + 1) += transfer;
    rows.at(q, m + 2 + line) = transfer;
  }
  __syncthreads();
}

// What lies before a resistance r in every word line (ArraySweep::PassResistance): Y <- Y P, y <- P y, x <- P x with P
// = (1 + r Y)^-1, by elimination without subtraction (docs/physics.md). `lines` vectors x are there.
__device__ void PassResistance(const Rows& rows, double r, double unit_ohm, int lines) {
  const int m = rows.m;
  const int width = m + 2 + lines;
  const double ratio = r / unit_ohm;
  for (int i = threadIdx.x; i < m * m; i += kThreads) rows.at(i / m, i % m) *= ratio;
  for (int p = threadIdx.x; p < m; p += kThreads) rows.at(p, m) = 1 + r * rows.at(p, m + 1);
  __syncthreads();
  for (int k = 0; k < m; ++k) {
    for (int q = threadIdx.x; q < width; q += kThreads) rows.pivot_row[q] = rows.at(k, q);
    // The pivot: row sum and couplings to rows not yet eliminated. Every warp adds them up for itself.
    double pivot = 0;
    for (int q = k + 1 + threadIdx.x % 32; q < m; q += 32) pivot += rows.at(k, q);
    for (int lane = 16; lane > 0; lane /= 2) pivot += __shfl_xor_sync(0xFFFFFFFFu, pivot, lane);
    const double inverse = 1 / (rows.at(k, m) + pivot);
    __syncthreads();
    // Threads of a group of 32 take neighbouring columns of one row.
    for (int p = threadIdx.x / 32; p < m; p += kThreads / 32) {
      const double factor = (p == k ? 1 : rows.pivot_row[p]) * inverse;
      for (int q = threadIdx.x % 32; q < width; q += 32) {
        double& to = rows.at(p, q);
        const double kept = p == k || q == k ? 0 : to;
        const double right = q == k ? 1 : rows.pivot_row[q];
        to = fma(factor, right, kept);
      }
    }
    __syncthreads();
  }
}

__global__ void __launch_bounds__(kThreads) ExtractKernel(Sweep sweep) {
  const int m = sweep.terminals;
  const int lines = sweep.lines;
  RXNN_SHARED(double, shared);
  const int stride = m + 2 + lines;
  const Rows rows{shared, shared + m * stride, shared + m * stride + stride, m, stride};
  const std::int64_t cells = static_cast<std::int64_t>(m) * lines;
  double* scratch = sweep.scratch + blockIdx.x * 6 * cells;
  const auto chain_of = [&](int line) {
    return Chain{{scratch + line, lines},
                 {scratch + cells + line, lines},
                 {scratch + 2 * cells + line, lines},
                 {scratch + 3 * cells + line, lines}};
  };

  for (int array = blockIdx.x; array < sweep.count; array += gridDim.x) {
    const double* g = sweep.g + array * cells;
    for (int line = threadIdx.x; line < lines; line += kThreads) {
      FollowLine(sweep, g, line, chain_of(line), {scratch + 4 * cells + line, lines},
                 {scratch + 5 * cells + line, lines});
    }
    for (int i = threadIdx.x; i < m * stride; i += kThreads) shared[i] = 0;
    __syncthreads();
    double unit_ohm = 1;
    for (int line = 0; line < lines; ++line) {
      const double r = line > 0 ? sweep.between[line - 1] : 0;
      if (r != 0) {
        PassResistance(rows, r, unit_ohm, line);
        unit_ohm = r;
      }
      AddLine(sweep, rows, chain_of(line), line, unit_ohm);
    }
    if (sweep.drive_ohm != 0) PassResistance(rows, sweep.drive_ohm, unit_ohm, lines);
    for (int i = threadIdx.x; i < cells; i += kThreads) {
      const int line = i / m, p = i % m;
      sweep.g_eq[array * cells + sweep.Cell(line, p)] = rows.at(p, m + 2 + line);
    }
    __syncthreads();
  }
}

}  // namespace

bool SweepIsKnown(const circuit::SweepFrame& frame) { return frame.num_far_driven() == 0; }

std::size_t SweepSharedBytes(const circuit::SweepFrame& frame) {
  const std::size_t m = frame.terminals;
  const std::size_t stride = m + 2 + frame.lines;
  return sizeof(double) * (m * stride + stride + 2 * m);
}

std::size_t SweepScratch(const circuit::SweepFrame& frame) { return std::size_t{6} * frame.terminals * frame.lines; }

void ExtractArrays(const circuit::SweepFrame& frame, const double* between, const double* along, const double* g,
                   int count, int blocks, double* scratch, double* g_eq) {
  Sweep sweep;
  sweep.lines = frame.lines;
  sweep.terminals = frame.terminals;
  sweep.count = count;
  sweep.mirrored = frame.mirrored;
  sweep.sensed = frame.sensed;
  sweep.drive_ohm = frame.drive_ohm;
  sweep.sense_ohm = frame.sense_ohm;
  sweep.between = between;
  sweep.along = along;
  sweep.g = g;
  sweep.g_eq = g_eq;
  sweep.scratch = scratch;
  Launch(ExtractKernel, dim3(blocks), kThreads, SweepSharedBytes(frame), sweep);
}

}  // namespace rxnn::cuda
