#include <algorithm>
#include <cmath>
#include <cstdint>
#include <optional>
#include <sstream>
#include <vector>

#include "crossbar/code_block_reader.hpp"
#include "crossbar/state.hpp"
#include "cuda/device_memory.hpp"
#include "gpu/patches.hpp"
#include "images/offsets.hpp"
#include "images/vectors_cuda.hpp"
#include "rxnn/gpu.hpp"
#include "vmm/code_reads_cuda.hpp"
#include "vmm/folded_cuda.hpp"
#include "vmm/tiles_cuda.hpp"

namespace rxnn {
namespace {

using cuda::DeviceArray;

// Device memory that planes, codes and sums of the images of one round may take.
constexpr std::int64_t kRoundBytes = std::int64_t{2} << 30;
constexpr std::int64_t kMostVectors = 1 << 21;  // of a round

[[noreturn]] void Refuse(const CrossbarState& state, const std::string& what) {
  throw GpuUnsupported("crossbar matrix " + state.name + ": " + what + "; use the CPU");
}

void CheckReadable(const CrossbarState& state) {
  const Hardware& hardware = state.hardware;
  state.CheckProgrammed();
  if (state.packs.shared()) Refuse(state, "group_packing: the GPU reads no groups that share arrays");
  if (hardware.read_noise_sigma > 0) Refuse(state, "read_noise_sigma: the GPU draws no read noise");
  if (!hardware.dac_flaws.none()) Refuse(state, "dac_*: the GPU reads ideal DACs only");
  if (!hardware.adc_flaws.none()) Refuse(state, "adc_*: the GPU reads ideal transfer curves of ADCs only");
  if (hardware.dac_bits > 8 && !state.scheme.folded) Refuse(state, "dac_bits: the GPU's digits have at most 8 bits");
  if (state.scheme.folded) {
    if (state.scheme.wide) Refuse(state, "weight_bits and input_bits: products beyond what float32 adds up exactly");
    return;
  }
  state.MakeReadout();  // throws where the range is still to be calibrated
  if (!state.code_readout)
    Refuse(state, "adc_bits, weight_bits, input_bits: codes of the ADCs are not summed as whole numbers");
}

// What CodeBlockReader takes off the sums for every unit of a code.
double OffsetPerCode(const CrossbarState& state) {
  if (state.scheme.polarities != 1) return 0;
  double per_code = std::ldexp(1.0, state.hardware.weight_bits - 1);
  if (!state.code_readout->whole_levels) {
    for (int slice = 0; slice < state.scheme.slices; ++slice) {
      per_code += std::ldexp(state.off_level, slice * state.hardware.cell_bits);
    }
  }
  return per_code;
}

// Two parts leave at most 2^-18 of a level, which 64 and more rows of float32 additions may too.
int PartsFor(int needed, int rows) { return rows >= 64 ? std::min(needed, 2) : needed; }

}  // namespace

struct GpuCrossbar::State {
  const CrossbarState& matrix;
  const int groups;
  const int largest_code;
  const double divisor;  // of OutputScale
  const float fixed_range;
  DeviceArray<cuda::PanelPlace> places;
  cuda::TiledLayer layer;
  int parts = 1;
  DeviceArray<std::uint32_t> words;
  DeviceArray<CodeReadout::Shares> shares;
  DeviceArray<float> scales;
  DeviceArray<unsigned long long> saturated{2};
  std::int64_t conversions = 0;
  double per_code = 0;
  std::optional<cuda::Patches> patches;
  // Of a round; kept from call to call.
  DeviceArray<std::int32_t> planes;
  DeviceArray<cuda::ImageScale> of_images;
  DeviceArray<std::uint16_t> codes;
  DeviceArray<std::uint8_t> negative;
  DeviceArray<double> sums;
  DeviceArray<float> input, output;

  explicit State(const CrossbarState& from)
      : matrix(from),
        groups(from.packs.count),
        largest_code(from.hardware.max_input_code()),
        divisor(static_cast<double>(from.hardware.max_weight_code()) * from.hardware.max_input_code()),
        fixed_range(static_cast<float>(from.hardware.input_range)),
        scales(from.scales) {
    saturated.Clear();
    const bool folded = from.scheme.folded;
    std::vector<cuda::PanelPlace> panels;
    for (const Panel& panel : folded ? from.folded_panels : from.panels) {
      panels.push_back({panel.first_col, panel.cols});
    }
    places = DeviceArray<cuda::PanelPlace>(panels);
    layer.groups = groups;
    layer.inputs = from.grid.inputs;
    layer.outputs = from.grid.outputs;
    layer.polarities = from.scheme.polarities;
    layer.slices = from.scheme.slices;
    layer.cell_bits = from.hardware.cell_bits;
    layer.matrices = from.scheme.matrices();
    layer.analog = from.scheme.analog;
    layer.folded = folded;
    if (from.hardware.signed_weights == SignedWeights::kOffset) {
      layer.folded_start = -std::ldexp(1.0, from.hardware.weight_bits - 1);
    }
    // Ideal converters: as many rows as float32 holds exactly and the kernel takes; else those of the arrays.
    layer.rows = folded ? std::min(from.folded_grid.rows, 64) : std::min(from.grid.rows, from.grid.inputs);
    layer.row_tiles = (layer.inputs + layer.rows - 1) / layer.rows;
    layer.panels = static_cast<int>(panels.size());
    layer.places = places.data();

    const DeviceArray<float> levels(from.levels.size());
    cuda::ToDevice(levels.data(), from.levels.data(), from.levels.size() * sizeof(float));
    layer.levels = levels.data();
    const DeviceArray<int> scratch(1);
    const int needed = cuda::PartsNeeded(layer, scratch.data());
    parts = folded ? needed : PartsFor(needed, layer.rows);
    CheckSharedMemory();
    words = DeviceArray<std::uint32_t>(layer.tiles() * parts * layer.part_words());
    cuda::PackLevels(layer, parts, words.data());
    cuda::Synchronize();
    layer.levels = nullptr;

    if (folded) return;
    shares = DeviceArray<CodeReadout::Shares>(from.code_shares);
    per_code = OffsetPerCode(from);
  }

  void CheckSharedMemory() const {
    if (layer.folded) return;
    cuda::LayerReads reads;
    reads.layer = layer;
    reads.parts = parts;
    const std::size_t needed = cuda::SharedBytes(reads);
    const std::size_t most = cuda::Facts().shared_bytes;
    if (needed <= most) return;
    std::ostringstream what;
    what << "rows: arrays of " << layer.rows << " rows need " << needed << " bytes of shared memory, this GPU has "
         << most;
    Refuse(matrix, what.str());
  }

  // Codes cut for the tiles; good until the next call.
  cuda::TiledCodes Gather(const cuda::TiledLayer& layer, const cuda::Patches& from, int images, bool has_negative) {
    cuda::TiledCodes tiled;
    tiled.vectors = images * from.tables().positions;
    tiled.passes = has_negative ? 2 : 1;
    codes.Reserve(cuda::TiledCodes::Size(layer, tiled.passes, tiled.vectors));
    negative.Reserve(tiled.vectors);
    tiled.codes = codes.data();
    tiled.has_negative = negative.data();
    cuda::GatherCodes(layer, tiled, from.tables(), of_images.data(), planes.data());
    return tiled;
  }

  // Of layer.groups groups from `first_group` on; codes and sums hold no others.
  void Multiply(int first_group, const cuda::TiledLayer& layer, const cuda::TiledCodes& codes, double* sums) const {
    const std::uint32_t* of_groups =
        words.data() + first_group * (layer.tiles() / layer.groups) * parts * layer.part_words();
    if (layer.folded) {
      cuda::FoldedLayer folded;
      folded.layer = layer;
      folded.codes = codes;
      folded.words = of_groups;
      folded.parts = parts;
      folded.bytes = matrix.hardware.input_bits > 8 ? 2 : 1;
      folded.sums = sums;
      cuda::MultiplyFolded(folded);
      return;
    }
    cuda::LayerReads reads;
    reads.layer = layer;
    reads.codes = codes;
    reads.words = of_groups;
    reads.parts = parts;
    reads.streams = matrix.scheme.streams;
    reads.dac_bits = matrix.hardware.dac_bits;
    reads.readout = *matrix.code_readout;
    reads.shares = shares.data();
    reads.single_share = shares.size() == 1 && per_code == 0;
    reads.per_code = per_code;
    reads.fits = SumsFit(matrix, codes.passes, layer.row_tiles);
    reads.sums = sums;
    reads.saturated = saturated.data();
    cuda::ReadLayer(reads);
  }

  // Where vectors with and without negative parts are together, those without are read once.
  void CountConversions(std::int64_t reads_of_vectors) {
    if (layer.folded) return;
    conversions += static_cast<std::int64_t>(layer.matrices) * matrix.scheme.streams * reads_of_vectors *
                   layer.outputs * layer.row_tiles;
  }

  void Convolve(const cuda::Patches& from, const float* images, int count, Memory where, float* out);
};

GpuCrossbar::GpuCrossbar(const CrossbarMatrix& matrix) {
  CheckReadable(matrix.state());
  state_ = std::make_unique<State>(matrix.state());
}

GpuCrossbar::~GpuCrossbar() = default;

void GpuCrossbar::Multiply(int group, const std::int32_t* codes, int count, bool has_negative, double* sums) {
  State& state = *state_;
  state.matrix.CheckCodes(group, codes, count, has_negative);
  if (count == 0) return;
  cuda::TiledLayer layer = state.layer;
  layer.groups = 1;
  const cuda::Patches vectors(ConvolutionGeometry(), 1, layer.inputs);
  const std::size_t num_codes = static_cast<std::size_t>(count) * layer.inputs;
  const std::size_t num_sums = static_cast<std::size_t>(count) * layer.outputs;
  state.planes.Reserve(num_codes);
  state.of_images.Reserve(count);
  state.sums.Reserve(num_sums);
  const std::vector<cuda::ImageScale> scales(count, {1, static_cast<std::uint8_t>(has_negative), 0});
  cuda::ToDevice(state.planes.data(), codes, num_codes * sizeof(*codes));
  cuda::ToDevice(state.of_images.data(), scales.data(), count * sizeof(cuda::ImageScale));
  const cuda::TiledCodes tiled = state.Gather(layer, vectors, count, has_negative);
  state.Multiply(group, layer, tiled, state.sums.data());
  cuda::ToHost(sums, state.sums.data(), num_sums * sizeof(double));
  state.CountConversions(static_cast<std::int64_t>(count) * tiled.passes);
}

void GpuCrossbar::State::Convolve(const cuda::Patches& from, const float* images, int count, Memory where, float* out) {
  const cuda::PatchTables tables = from.tables();
  const std::int64_t out_size = static_cast<std::int64_t>(groups) * layer.outputs * tables.positions;
  const std::int64_t vector_bytes =
      groups * (8 * layer.outputs + 2 * 2 * static_cast<std::int64_t>(layer.row_tiles) * layer.padded_rows());
  const std::int64_t image_bytes = 4 * (from.plane_size() + from.image_size() + out_size);
  const std::int64_t most =
      std::min(kRoundBytes / (vector_bytes * tables.positions + image_bytes), kMostVectors / tables.positions);
  const int round_images = static_cast<int>(std::clamp<std::int64_t>(most, 1, std::max(count, 1)));
  planes.Reserve(round_images * from.plane_size());
  of_images.Reserve(round_images);
  sums.Reserve(static_cast<std::size_t>(groups) * round_images * tables.positions * layer.outputs);
  input.Reserve(where == Memory::kHost ? round_images * from.image_size() : 0);
  output.Reserve(where == Memory::kHost ? round_images * out_size : 0);
  std::vector<cuda::ImageScale> found(round_images);
  for (int first = 0; first < count; first += round_images) {
    const int n = std::min(round_images, count - first);
    const float* x = images + first * from.image_size();
    float* y = out + first * out_size;
    if (where == Memory::kHost) {
      cuda::ToDevice(input.data(), x, n * from.image_size() * sizeof(float));
      x = input.data();
      y = output.data();
    }
    cuda::FindScales(x, n, from.image_size(), fixed_range, largest_code, of_images.data());
    cuda::ToHost(found.data(), of_images.data(), n * sizeof(cuda::ImageScale));
    int num_negative = 0;
    for (int image = 0; image < n; ++image) {
      num_negative += found[image].has_negative;
      if (found[image].not_finite == 0) continue;
      std::ostringstream message;
      message << "image " << first + image << " has an input that is not finite, expected finite numbers";
      throw std::invalid_argument(message.str());
    }
    cuda::EncodeImages(x, n, tables, of_images.data(), largest_code, planes.data());
    Multiply(0, layer, Gather(layer, from, n, num_negative > 0), sums.data());
    cuda::StoreOutputs(layer, sums.data(), n, tables.positions, scales.data(), of_images.data(), divisor, y);
    cuda::Synchronize();
    if (where == Memory::kHost) cuda::ToHost(out + first * out_size, y, n * out_size * sizeof(float));
    CountConversions(static_cast<std::int64_t>(n + num_negative) * tables.positions * groups);
  }
}

void GpuCrossbar::Convolve(const ConvolutionGeometry& geometry, const float* images, int count, Memory where,
                           float* out) {
  State& state = *state_;
  const std::int64_t kernel = Product(geometry.kernel);
  if (count < 0 || kernel < 1 || state.layer.inputs % kernel != 0) {
    std::ostringstream message;
    message << "crossbar matrix " << state.matrix.name << ": " << count << " images and kernels of " << kernel
            << " positions, expected no negative count and a divisor of " << state.layer.inputs << " inputs";
    throw std::invalid_argument(message.str());
  }
  if (!state.patches || !state.patches->same_geometry(geometry)) {
    state.patches.emplace(geometry, state.groups, static_cast<int>(state.layer.inputs / kernel));
  }
  state.Convolve(*state.patches, images, count, where, out);
}

void GpuCrossbar::Matmul(const float* x, int count, Memory where, float* y) {
  if (state_->groups != 1) {
    std::ostringstream message;
    message << "crossbar product with a matrix of " << state_->groups << " groups, expected 1";
    throw std::invalid_argument(message.str());
  }
  Convolve(ConvolutionGeometry(), x, count, where, y);
}

ConversionCounts GpuCrossbar::conversion_counts() const {
  const std::vector<unsigned long long> counted = state_->saturated.Values();
  return {state_->conversions, static_cast<std::int64_t>(counted[0]), static_cast<std::int64_t>(counted[1])};
}

std::string WhyNoGpu() {
  std::string why;
  cuda::CountDevices(&why);
  return why;
}

}  // namespace rxnn
