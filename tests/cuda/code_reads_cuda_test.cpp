// The kernel of products and converters by itself: real levels in one, two and three bf16 parts, every kind of readout,
// against sums in double. A code may differ only where its current is as near to a border as the bound of docs/cuda.md.
#include "vmm/code_reads_cuda.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <tuple>
#include <vector>

#include "cuda/device_memory.hpp"
#include "images/vectors_cuda.hpp"
#include "rxnn/mapping.hpp"
#include "tests/support/readouts.hpp"
#include "tests/support/tolerance.hpp"

namespace rxnn {
namespace {

constexpr int kRows = 40, kInputs = 70, kOutputs = 21, kVectors = 67, kPolarities = 2, kSlices = 2, kCellBits = 2;

class CodeReadsCudaTest : public testing::TestWithParam<std::tuple<ReadoutKind, int, int>> {};

TEST_P(CodeReadsCudaTest, DiffersAtBordersOnly) {
  const auto [kind, parts, dac_bits] = GetParam();
  const int streams = 6 / dac_bits;
  const int digit = (1 << dac_bits) - 1;
  std::mt19937 engine(static_cast<unsigned>(parts + 10 * dac_bits + 100 * static_cast<int>(kind)));
  std::uniform_real_distribution<float> real(0, static_cast<float>(kMostLevel));
  std::uniform_int_distribution<int> code(0, 63);
  // One part: levels of 8 bits, which it holds.
  std::vector<float> levels(kPolarities * kSlices * kInputs * kOutputs);
  for (float& level : levels) level = parts == 1 ? std::round(real(engine) * 64) / 64 : real(engine);

  cuda::TiledLayer layer;
  layer.groups = 1;
  layer.inputs = kInputs;
  layer.outputs = kOutputs;
  layer.polarities = kPolarities;
  layer.slices = kSlices;
  layer.cell_bits = kCellBits;
  layer.matrices = kPolarities * kSlices;
  layer.rows = kRows;
  layer.row_tiles = (kInputs + kRows - 1) / kRows;
  layer.panels = 1;
  const cuda::DeviceArray<cuda::PanelPlace> places(std::vector<cuda::PanelPlace>{{0, kOutputs}});
  layer.places = places.data();
  const cuda::DeviceArray<float> on_levels(levels);
  layer.levels = on_levels.data();
  const cuda::DeviceArray<int> scratch(1);
  EXPECT_EQ(cuda::PartsNeeded(layer, scratch.data()), parts == 1 ? 1 : 3);
  const cuda::DeviceArray<std::uint32_t> words(layer.tiles() * parts * layer.part_words());
  cuda::PackLevels(layer, parts, words.data());

  const int padded = layer.padded_rows();
  std::vector<std::uint16_t> codes(cuda::TiledCodes::Size(layer, 1, kVectors), 0);
  const auto code_at = [&](int vector, int input) -> std::uint16_t& {
    return codes[(static_cast<std::size_t>(vector) * layer.row_tiles + input / kRows) * padded + input % kRows];
  };
  for (int v = 0; v < kVectors; ++v) {
    for (int i = 0; i < kInputs; ++i) code_at(v, i) = static_cast<std::uint16_t>(code(engine));
  }
  const cuda::DeviceArray<std::uint16_t> on_codes(codes);

  const double most = kRows * digit * (kMostLevel + kOffLevel);
  const Readout readout = MakeReadout(kind, most);
  cuda::LayerReads reads;
  reads.layer = layer;
  reads.codes.vectors = kVectors;
  reads.codes.codes = on_codes.data();
  reads.words = words.data();
  reads.parts = parts;
  reads.streams = streams;
  reads.dac_bits = dac_bits;
  reads.readout = CodeReadout::Make(readout, {0, most}, kOffLevel * kRows * digit).value();
  std::vector<CodeReadout::Shares> shares;
  for (int sum = 0; sum <= kRows * digit; ++sum) shares.push_back(reads.readout.SharesOf(kOffLevel * sum));
  const cuda::DeviceArray<CodeReadout::Shares> on_shares(shares);
  reads.shares = on_shares.data();
  reads.fits = parts != 2;  // both ways to end a tile
  const cuda::DeviceArray<double> sums(static_cast<std::size_t>(kVectors) * kOutputs);
  reads.sums = sums.data();
  cuda::ReadLayer(reads);
  const std::vector<double> actual = sums.Values();

  std::int64_t currents = 0, ties = 0;
  for (int v = 0; v < kVectors; ++v) {
    for (int n = 0; n < kOutputs; ++n) {
      double expected = 0, slack = 0;
      for (int read = 0; read < layer.row_tiles * layer.matrices * streams; ++read) {
        const int stream = read % streams, matrix = read / streams % layer.matrices;
        const int row_tile = read / streams / layer.matrices;
        const int slice = matrix / kPolarities, polarity = matrix % kPolarities;
        double current = 0, digit_sum = 0;
        for (int i = row_tile * kRows; i < std::min(kInputs, (row_tile + 1) * kRows); ++i) {
          const int d = code_at(v, i) >> (stream * dac_bits) & digit;
          const int plane = polarity * kSlices + slice;
          current += static_cast<double>(d) * levels[(plane * kInputs + i) * kOutputs + n];
          digit_sum += d;
        }
        const double share = kOffLevel * digit_sum, lsb = readout.adc.lsb;
        const double levels_of = readout.Apply(current, share);
        const double number = std::nearbyint(readout.whole_levels ? levels_of : (levels_of + share) / lsb);
        const double weight = std::ldexp(polarity == 1 ? -1 : 1, slice * kCellBits + stream * dac_bits);
        expected += number * weight;
        // Levels are not negative: the current is the sum of magnitudes.
        const double code_value = (current + share) / lsb;
        const double rounding = tolerance::TensorSum(kRows, parts, current) / lsb +
                                8 * tolerance::kFloatEps * (std::fabs(code_value) + readout.adc.code_max);
        const auto to_border = [](double x) { return std::fabs(x - std::floor(x) - 0.5); };
        bool tie = to_border(code_value) <= rounding;
        if (readout.whole_levels) {
          const double converted = std::clamp(std::nearbyint(code_value), readout.adc.code_min, readout.adc.code_max);
          tie = tie || to_border(converted * lsb - share) <= 8 * tolerance::kFloatEps * (converted * lsb + share);
        }
        ++currents;
        ties += tie;
        if (tie) slack += std::fabs(weight);
      }
      const double unit = reads.readout.unit;
      ASSERT_NEAR(actual[v * kOutputs + n], expected * unit, (slack + 1e-9) * unit) << "vector " << v << ", col " << n;
    }
  }
  EXPECT_LE(ties, currents / 50);
}

std::string CaseName(const testing::TestParamInfo<std::tuple<ReadoutKind, int, int>>& info) {
  static const char* const kNames[] = {"Coarse", "Fine", "Levels", "FineLevels", "Saturating"};
  return std::string(kNames[static_cast<int>(std::get<0>(info.param))]) + std::to_string(std::get<1>(info.param)) +
         "Parts" + std::to_string(std::get<2>(info.param)) + "Bits";
}

INSTANTIATE_TEST_SUITE_P(Kinds, CodeReadsCudaTest,
                         testing::Combine(testing::Values(ReadoutKind::kCoarse, ReadoutKind::kFine,
                                                          ReadoutKind::kLevels, ReadoutKind::kFineLevels,
                                                          ReadoutKind::kSaturating),
                                          testing::Values(1, 2, 3), testing::Values(1, 3)),
                         CaseName);

// Codes of images: those of QuantizeInputs to the bit, inputs at the border between two codes among them.
TEST(VectorsCuda, EncodesAsTheCpuDoes) {
  std::mt19937 engine(41);
  std::normal_distribution<float> value;
  for (const int bits : {1, 8, 13, 16}) {
    for (const double range : {0.0, 0.75}) {
      Hardware hardware;
      hardware.input_bits = bits;
      hardware.input_range = range;
      constexpr int kImages = 3, kSize = 1000;
      std::vector<float> images(kImages * kSize);
      for (float& x : images) x = value(engine);
      for (int i = 0; i < kSize; ++i) {  // range 1, borders of codes, no negative ones
        const double border = (i + 0.5) / hardware.max_input_code();
        images[i] = i == 0 ? 1 : static_cast<float>(border > 1 ? border - std::floor(border) : border);
      }
      std::fill_n(images.begin() + 2 * kSize, kSize, 0.0f);
      cuda::PatchTables tables;
      tables.channels = kSize;
      tables.channel_size = tables.padded_size = 1;
      tables.row_length = 1;
      const cuda::DeviceArray<std::int64_t> rows(std::vector<std::int64_t>{0});
      tables.rows = rows.data();
      const cuda::DeviceArray<float> x(images);
      const cuda::DeviceArray<cuda::ImageScale> scales(kImages);
      const cuda::DeviceArray<std::int32_t> planes(images.size());
      cuda::FindScales(x.data(), kImages, kSize, static_cast<float>(range), hardware.max_input_code(), scales.data());
      cuda::EncodeImages(x.data(), kImages, tables, scales.data(), hardware.max_input_code(), planes.data());
      const std::vector<std::int32_t> actual = planes.Values();
      for (int image = 0; image < kImages; ++image) {
        std::vector<std::int32_t> expected(kSize);
        const InputScale scale = QuantizeInputs(hardware, images.data() + image * kSize, kSize, expected.data());
        const cuda::ImageScale found = scales.Values()[image];
        EXPECT_EQ(found.range, scale.range);
        EXPECT_EQ(found.has_negative != 0, scale.has_negative);
        for (int i = 0; i < kSize; ++i) ASSERT_EQ(actual[image * kSize + i], expected[i]) << bits << " bits, " << i;
      }
    }
  }
}

}  // namespace
}  // namespace rxnn
