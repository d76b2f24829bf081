#include <algorithm>
#include <cmath>
#include <cstdint>
#include <sstream>
#include <vector>

#include "circuit/check_array.hpp"
#include "circuit/extract_cuda.hpp"
#include "circuit/sweep_frame.hpp"
#include "crossbar/state.hpp"
#include "cuda/device_memory.hpp"
#include "device/program_cuda.hpp"
#include "mapping/digits_cuda.hpp"
#include "rxnn/device.hpp"
#include "rxnn/gpu.hpp"

namespace rxnn {
namespace {

using cuda::DeviceArray;

// Device memory that the conductances of one round of arrays may take.
constexpr std::int64_t kRoundBytes = std::int64_t{1} << 30;

int RoundArrays(std::int64_t arrays, std::int64_t cells) {
  return static_cast<int>(std::clamp<std::int64_t>(kRoundBytes / (8 * cells), 1, std::max<std::int64_t>(arrays, 1)));
}

// Extracts arrays of one shape, in the memory of the device.
class Extraction {
 public:
  Extraction(int rows, int cols, const WireResistances& wires)
      : frame_(circuit::SweepFrame::Choose(rows, cols, wires)) {
    if (!cuda::SweepIsKnown(frame_)) {
      throw GpuUnsupported(
          "wordline_driven and bitline_sensed: the GPU extracts no arrays with far ends of both kinds of line; use the "
          "CPU");
    }
    const cuda::DeviceFacts facts = cuda::Facts();
    const std::size_t shared = cuda::SweepSharedBytes(frame_);
    if (shared > facts.shared_bytes) {
      std::ostringstream message;
      message << "rows and cols: an array of " << rows << " x " << cols << " cells needs " << shared
              << " bytes of shared memory, this GPU has " << facts.shared_bytes << "; use the CPU";
      throw GpuUnsupported(message.str());
    }
    between_ = DeviceArray<double>(frame_.between_lines);
    along_ = DeviceArray<double>(frame_.along_line);
    // As many blocks as fit at most, each with its scratch.
    blocks_ = facts.processors * static_cast<int>(std::clamp<std::size_t>(facts.shared_bytes / shared, 1, 8));
    scratch_ = DeviceArray<double>(blocks_ * cuda::SweepScratch(frame_));
  }

  void Run(double* g, int count) const {
    cuda::ExtractArrays(frame_, between_.data(), along_.data(), g, count, std::min(blocks_, count), scratch_.data(), g);
  }

 private:
  const circuit::SweepFrame frame_;
  int blocks_ = 1;
  DeviceArray<double> between_, along_, scratch_;
};

void CheckProgrammable(const CrossbarState& state) {
  const auto refuse = [&](const char* what) {
    throw GpuUnsupported("crossbar matrix " + state.name + ": " + what + "; use the CPU");
  };
  if (!state.hardware.linear_cells()) refuse("cell_curve: the GPU programs linear cells only");
  if (state.hardware.cell_type != CellType::kOneR) refuse("cell_type: the GPU programs no access transistors");
  if (state.packs.shared()) refuse("group_packing: the GPU programs no groups that share arrays");
  if (!state.hardware.faults.empty()) refuse("fault: the GPU programs no faults");
}

cuda::ArrayGrid GridOf(const CrossbarState& state) {
  cuda::ArrayGrid grid;
  grid.groups = state.packs.count;
  grid.inputs = state.grid.inputs;
  grid.outputs = state.grid.outputs;
  grid.rows = state.grid.rows;
  grid.cols = state.grid.cols;
  grid.row_tiles = state.grid.row_tiles;
  grid.col_tiles = state.grid.col_tiles;
  grid.slices = state.scheme.slices;
  grid.polarities = state.scheme.polarities;
  grid.weight_bits = state.hardware.weight_bits;
  grid.cell_bits = state.hardware.cell_bits;
  grid.offset = state.hardware.signed_weights == SignedWeights::kOffset;
  return grid;
}

}  // namespace

void GpuEquivalentConductance(const double* g, int count, int rows, int cols, const WireResistances& wires,
                              double* g_eq) {
  circuit::CheckArray(rows, cols, wires);
  circuit::CheckCells(g, count, rows, cols);
  if (count == 0) return;
  const Extraction extraction(rows, cols, wires);
  const std::int64_t cells = static_cast<std::int64_t>(rows) * cols;
  const int together = RoundArrays(count, cells);
  const DeviceArray<double> on_device(together * cells);
  for (int first = 0; first < count; first += together) {
    const int n = std::min(together, count - first);
    cuda::ToDevice(on_device.data(), g + first * cells, n * cells * sizeof(double));
    extraction.Run(on_device.data(), n);
    cuda::ToHost(g_eq + first * cells, on_device.data(), n * cells * sizeof(double));
  }
}

void GpuProgram(CrossbarMatrix& matrix, const float* weights, const Progress& progress) {
  const CrossbarState& state = matrix.state();
  const Hardware& hardware = state.hardware;
  CheckProgrammable(state);
  const WeightCodes codes =
      QuantizeWeights(hardware, weights, state.packs.count * state.grid.outputs, state.grid.inputs);
  const cuda::ArrayGrid grid = GridOf(state);

  std::vector<double> nominal, sigma;
  for (int digit = 0; digit < hardware.num_levels(); ++digit) {
    nominal.push_back(NominalConductance(hardware, digit));
    sigma.push_back(hardware.sigma(digit));
  }
  const DeviceArray<double> on_nominal(nominal), on_sigma(sigma);
  cuda::CellLaw law = cuda::CellLaw::Of(hardware, state.random);
  law.nominal = on_nominal.data();
  law.sigma = on_sigma.data();

  // Without wires there is nothing to extract; a cell's level is what its device has become.
  std::vector<Extraction> extraction;
  if (!hardware.wires.ideal()) extraction.emplace_back(hardware.rows, hardware.cols, hardware.wires);

  const DeviceArray<std::int32_t> on_codes(codes.codes);
  const DeviceArray<float> levels(matrix.num_levels());
  const std::int64_t arrays = state.num_arrays();
  const int together = RoundArrays(arrays, law.cells);
  const DeviceArray<std::uint16_t> digits(together * law.cells);
  const DeviceArray<double> g(together * law.cells);
  for (std::int64_t first = 0; first < arrays; first += together) {
    const int n = static_cast<int>(std::min<std::int64_t>(together, arrays - first));
    cuda::CutDigits(grid, on_codes.data(), first, n, digits.data());
    cuda::ProgramCells(law, static_cast<std::uint32_t>(first), n, digits.data(), g.data());
    if (!extraction.empty()) extraction.front().Run(g.data(), n);
    cuda::StoreLevels(grid, g.data(), first, n, hardware.g_off(), hardware.g_step(), levels.data());
    cuda::Synchronize();
    if (progress) progress(first + n, arrays);
  }
  std::vector<float> on_host = levels.Values();
  // Ideal levels are digits; the way by siemens has rounded them.
  if (hardware.ideal_cells() && hardware.wires.ideal()) {
    for (float& level : on_host) level = std::nearbyint(level);
  }
  matrix.Load(on_host.data(), codes.scales.data());
}

}  // namespace rxnn
