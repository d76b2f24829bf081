// Crossbars on an NVIDIA GPU. In builds with -DRXNN_CUDA=ON (library rxnn_cuda); no CUDA type in here. Which hardware
// the GPU reads, how far its results are from the CPU's, and what has been checked how: docs/cuda.md.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "rxnn/convolution.hpp"
#include "rxnn/crossbar_matrix.hpp"
#include "rxnn/hardware.hpp"

namespace rxnn {

// Why no GPU can be used; empty where one can: that of cudaSetDevice, at first device 0.
std::string WhyNoGpu();

// Thrown for hardware that the GPU does not read or extract; what() names the field and what to do instead.
class GpuUnsupported : public std::invalid_argument {
 public:
  using std::invalid_argument::invalid_argument;
};

// Where the numbers of a call are.
enum class Memory { kHost, kDevice };

// A programmed CrossbarMatrix, copied to the GPU: levels and the range of its converters as they are at that time. Not
// thread-safe: one call at a time, each done when it returns.
class GpuCrossbar {
 public:
  // Throws GpuUnsupported for hardware that is read in another way than with ideal converters or as whole codes (read
  // noise, flaws of DACs and ADCs, converters of more than 16 bits), for dac_bits above 8, and for arrays whose rows do
  // not fit the GPU's shared memory; std::logic_error where nothing is programmed or a range is to be calibrated.
  explicit GpuCrossbar(const CrossbarMatrix& matrix);
  ~GpuCrossbar();
  GpuCrossbar(const GpuCrossbar&) = delete;
  GpuCrossbar& operator=(const GpuCrossbar&) = delete;

  // CrossbarMatrix::Multiply for vectors of codes; count x inputs and count x outputs, in host memory.
  void Multiply(int group, const std::int32_t* codes, int count, bool has_negative, double* sums);

  // A convolution of `count` images (groups * channels channels each, every image on its own scale), without bias:
  // out is count x (groups * outputs) x positions. channels * kernel positions are the matrix's inputs. Throws
  // std::invalid_argument for an input that is not finite.
  void Convolve(const ConvolutionGeometry& geometry, const float* images, int count, Memory where, float* out);
  // CrossbarMatmul for a matrix that is calibrated: x is count x inputs, y count x outputs.
  void Matmul(const float* x, int count, Memory where, float* y);

  // Of this object; conversions of vectors and columns in use, as the CPU counts them.
  ConversionCounts conversion_counts() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// EquivalentConductanceBatch on the GPU, in double: the same sweep, accurate to about 1e-13 of every entry. g, g_eq:
// count x rows x cols, siemens, in host memory; g_eq may be g. Throws GpuUnsupported where lines of both kinds are
// driven or sensed at far ends, and where an array does not fit the GPU's shared memory (119 x 119 cells fit 227 KiB);
// else as the CPU's.
void GpuEquivalentConductance(const double* g, int count, int rows, int cols, const WireResistances& wires,
                              double* g_eq);

// CrossbarMatrix::Program on the GPU: quantises, programs and extracts with the draws of the same chip, and loads the
// levels into `matrix`. Levels differ from the CPU's by rounding only. Throws GpuUnsupported for cells that are not
// linear, faults and access transistors, and as GpuEquivalentConductance. `progress` as there.
void GpuProgram(CrossbarMatrix& matrix, const float* weights, const Progress& progress = {});

}  // namespace rxnn
