#include <cmath>
#include <stdexcept>

#include "cuda/launch.cuh"
#include "vmm/code_reads_cuda.hpp"
#include "vmm/fragments_cuda.cuh"

namespace rxnn::cuda {
namespace {

enum class Form { kCodes, kLevels, kLevelsFused };

// The digits of one stream as bf16. One-bit digits become 0 and 2: the bit is moved to where bf16 has that of 2.
__device__ void CutDigits(const CodeFragment& codes, int stream, int dac_bits, CodeFragment& digits) {
  const int shift = stream * dac_bits;
  const std::uint32_t mask = (1u << dac_bits) - 1;
#pragma unroll
  for (int half = 0; half < kHalves; ++half) {
#pragma unroll
    for (int step = 0; step < kChunk / 16; ++step) {
#pragma unroll
      for (int i = 0; i < 4; ++i) {
        const std::uint32_t pair = codes[half][step][i];
        if (dac_bits == 1) {
          digits[half][step][i] = (shift <= 14 ? pair << (14 - shift) : pair >> 1) & 0x40004000u;
        } else {
          digits[half][step][i] = Bf16Pair(pair >> shift & mask, pair >> (16 + shift) & mask);
        }
      }
    }
  }
}

// The constants of a converter, and what it has made of the currents so far.
template <Form kForm, bool kClamps>
struct Converter {
  CodeReadout readout;
  float per_lsb;  // of currents as the products give them
  std::uint32_t low = 0, high = 0;

  __device__ Converter(const CodeReadout& readout, float unit) : readout(readout), per_lsb(readout.per_lsb * unit) {}

  // The bits of a float whose low ones hold n (CodeReadout); those of n = 0 are ZeroBits.
  __device__ std::uint32_t Convert(float x, const CodeReadout::Shares& shares, bool counts) {
    float t = fmaf(per_lsb, x, shares.in_codes) + CodeReadout::kMagic;
    if (kClamps) {
      low += counts && t < readout.low;
      high += counts && t > readout.high;
      t = fminf(fmaxf(t, readout.low), readout.high);
    }
    if (kForm == Form::kLevels) {
      t = fmaf(t - CodeReadout::kMagic, readout.lsb, -shares.levels) + CodeReadout::kMagic;
    }
    if (kForm == Form::kLevelsFused) t = fmaf(t, readout.lsb, shares.fused);
    return BitsOf(t);
  }
  __device__ std::uint32_t ZeroBits() const {
    return BitsOf(kForm == Form::kLevelsFused ? readout.fused_magic : CodeReadout::kMagic);
  }
};

// Sums of the numbers of four rows (half, i) of a lane.
template <typename T>
using OfRows = T[kHalves][2];

template <Form kForm, bool kClamps, int kParts, bool kOneChunk>
__global__ void __launch_bounds__(kReadThreads) ReadLayerKernel(LayerReads reads) {
  const TiledLayer& layer = reads.layer;
  const LanePlace at;
  const int group = blockIdx.z;
  const PanelPlace place = layer.places[blockIdx.y];
  const int padded = layer.padded_rows();
  const int steps = padded / kTileStep;
  const int part_quads = static_cast<int>(layer.part_words() / 4);
  const int matrix_quads = kParts * part_quads;
  RXNN_SHARED(uint4, buffers);  // two of matrix_quads

  // Stages: the matrices of all row tiles of this panel, in order.
  const int stages = layer.row_tiles * layer.matrices;
  const uint4* words = reinterpret_cast<const uint4*>(reads.words);
  const auto fetch = [&](int stage) {
    if (stage < stages) {
      const std::int64_t tile =
          (static_cast<std::int64_t>(group) * layer.row_tiles + stage / layer.matrices) * layer.panels + blockIdx.y;
      const uint4* from = words + (tile * layer.matrices + stage % layer.matrices) * matrix_quads;
      uint4* to = buffers + stage % 2 * matrix_quads;
      for (int i = threadIdx.x; i < matrix_quads; i += kReadThreads) CopyBeside(to + i, from + i);
    }
    CommitCopies();
  };

  const float unit = reads.dac_bits == 1 ? 0.5f : 1.0f;  // of digits as CutDigits gives them
  Converter<kForm, kClamps> converter(reads.readout, unit);
  const std::uint32_t zero_bits = converter.ZeroBits();
  std::uint32_t sums[kWarpEights][kHalves][4] = {};
  OfRows<std::uint32_t> zeros = {};  // what ZeroBits add to the sums
  OfRows<std::int64_t> code_sums = {};
  OfRows<bool> there, negative;
  for (int half = 0; half < kHalves; ++half) {
    for (int i = 0; i < 2; ++i) {
      const int vector = at.Vector(half, i);
      there[half][i] = vector < reads.codes.vectors;
      negative[half][i] = there[half][i] && reads.codes.passes == 2 && reads.codes.has_negative[vector] != 0;
    }
  }

  // Hands out what the sums hold; they begin anew.
  const auto store = [&](bool add) {
    ForEachSum(at, reads.codes.vectors, place.cols, [&](int eight, int half, int i, int vector, int col) {
      const std::int32_t sum = static_cast<std::int32_t>(sums[eight][half][i] - zeros[half][i / 2]);
      sums[eight][half][i] = 0;
      double* to = reads.sums + (static_cast<std::int64_t>(group) * reads.codes.vectors + vector) * layer.outputs +
                   place.first + col;
      const double levels = sum * reads.readout.unit - reads.per_code * code_sums[half][i / 2];
      *to = add ? *to + levels : levels;
    });
#pragma unroll
    for (int half = 0; half < kHalves; ++half) {
      for (int i = 0; i < 2; ++i) {
        zeros[half][i] = 0;
        code_sums[half][i] = 0;
      }
    }
  };

  CodeFragment codes;
  fetch(0);
  for (int stage = 0; stage < stages; ++stage) {
    fetch(stage + 1);
    WaitForCopies<1>();
    __syncthreads();
    const int row_tile = stage / layer.matrices;
    const int matrix = stage % layer.matrices;
    const int slice = layer.analog ? matrix : matrix / layer.polarities;
    const bool minus = !layer.analog && matrix % layer.polarities == 1;
    const uint4* levels = buffers + stage % 2 * matrix_quads;
    for (int pass = 0; pass < reads.codes.passes; ++pass) {
      if (kOneChunk && (matrix == 0 || reads.codes.passes == 2)) {
        LoadCodes(layer, reads.codes, at, pass, group, row_tile, 0, codes);
      }
      for (int stream = 0; stream < reads.streams; ++stream) {
        float currents[kWarpEights][kHalves][4] = {};
        float digit_sums[kHalves][4] = {};
        for (int chunk = 0; chunk < padded; chunk += kChunk) {
          if (!kOneChunk) LoadCodes(layer, reads.codes, at, pass, group, row_tile, chunk, codes);
          CodeFragment digits;
          CutDigits(codes, stream, reads.dac_bits, digits);
          const int last = steps - chunk / kTileStep;
          if (!reads.single_share) {
            constexpr std::uint32_t kOnes = 0x3F803F80u;
#pragma unroll
            for (int step = 0; step < kChunk / 16; ++step) {
              for (int half = 0; half < kHalves; ++half) {
                MultiplyBf16(digit_sums[half], digits[half][step], kOnes, kOnes);
              }
            }
          }
#pragma unroll
          for (int eight = 0; eight < kWarpEights; ++eight) {
#pragma unroll
            for (int step = 0; step < kChunk / kTileStep; ++step) {
              if (step >= last) continue;
#pragma unroll
              for (int part = 0; part < kParts; ++part) {
                const int row = (at.first_eight + eight) * steps + chunk / kTileStep + step;
                const uint4 b = levels[part * part_quads + row * kWarpThreads + at.lane];
#pragma unroll
                for (int half = 0; half < kHalves; ++half) {
                  MultiplyBf16(currents[eight][half], digits[half][2 * step], b.x, b.y);
                  MultiplyBf16(currents[eight][half], digits[half][2 * step + 1], b.z, b.w);
                }
              }
            }
          }
        }

        const std::uint32_t weight = 1u << (slice * layer.cell_bits + stream * reads.dac_bits);
#pragma unroll
        for (int half = 0; half < kHalves; ++half) {
#pragma unroll
          for (int i = 0; i < 2; ++i) {
            const int digit_sum = static_cast<int>(digit_sums[half][2 * i] * unit);
            const CodeReadout::Shares shares = reads.shares[reads.single_share ? 0 : digit_sum];
            const bool reads_row = pass == 0 ? there[half][i] : negative[half][i];
            const std::uint32_t row_weight = !reads_row ? 0 : minus != (pass == 1) ? 0u - weight : weight;
            zeros[half][i] += zero_bits * row_weight;
            if (matrix == 0 && reads.per_code != 0) {
              const std::int64_t code_sum = static_cast<std::int64_t>(digit_sum) << (stream * reads.dac_bits);
              code_sums[half][i] += pass == 0 ? code_sum : -code_sum;
            }
#pragma unroll
            for (int eight = 0; eight < kWarpEights; ++eight) {
#pragma unroll
              for (int j = 0; j < 2; ++j) {
                const int col = (at.first_eight + eight) * 8 + at.rest * 2 + j;
                const bool counts = kClamps && reads_row && col < place.cols;
                sums[eight][half][2 * i + j] +=
                    converter.Convert(currents[eight][half][2 * i + j], shares, counts) * row_weight;
              }
            }
          }
        }
      }
    }
    if (!reads.fits && matrix == layer.matrices - 1) store(row_tile > 0);
    __syncthreads();
  }
  if (reads.fits) store(false);

  if (kClamps && reads.saturated != nullptr) {
    atomicAdd(reads.saturated, static_cast<unsigned long long>(converter.low));
    atomicAdd(reads.saturated + 1, static_cast<unsigned long long>(converter.high));
  }
}

template <Form kForm, bool kClamps, int kParts>
void LaunchChunks(const LayerReads& reads) {
  const dim3 grid(Blocks(reads.codes.vectors, kBlockVectors), reads.layer.panels, reads.layer.groups);
  if (reads.layer.padded_rows() <= kChunk) {
    Launch(ReadLayerKernel<kForm, kClamps, kParts, true>, grid, kReadThreads, SharedBytes(reads), reads);
  } else {
    Launch(ReadLayerKernel<kForm, kClamps, kParts, false>, grid, kReadThreads, SharedBytes(reads), reads);
  }
}

template <Form kForm, bool kClamps>
void LaunchParts(const LayerReads& reads) {
  switch (reads.parts) {
    case 1:
      return LaunchChunks<kForm, kClamps, 1>(reads);
    case 2:
      return LaunchChunks<kForm, kClamps, 2>(reads);
    default:
      return LaunchChunks<kForm, kClamps, 3>(reads);
  }
}

template <Form kForm>
void LaunchForm(const LayerReads& reads) {
  return reads.readout.clamps ? LaunchParts<kForm, true>(reads) : LaunchParts<kForm, false>(reads);
}

}  // namespace

std::size_t SharedBytes(const LayerReads& reads) {
  return 2 * sizeof(std::uint32_t) * reads.parts * reads.layer.part_words();
}

void ReadLayer(const LayerReads& reads) {
  if (reads.dac_bits < 1 || reads.dac_bits > 8 || reads.parts < 1 || reads.parts > kMostParts ||
      (reads.per_code != 0 && reads.single_share)) {
    throw std::invalid_argument("ReadLayer: digits of more than 8 bits, parts that there are not, or no digit sums");
  }
  if (!reads.readout.whole_levels) return LaunchForm<Form::kCodes>(reads);
  return reads.readout.fused_magic != 0 ? LaunchForm<Form::kLevelsFused>(reads) : LaunchForm<Form::kLevels>(reads);
}

}  // namespace rxnn::cuda
